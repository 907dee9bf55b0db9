"""The answer to a `:generateContent` call, with a picture or without."""

from functools import lru_cache
from typing import Any
from uuid import uuid4

import pybase64

from nanobanana_sandbox.answers import Blob
from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.chance import chance
from nanobanana_sandbox.generate_content import GenerateContentRequest
from nanobanana_sandbox.orders import picture_order
from nanobanana_sandbox.pictures import Pictures
from nanobanana_sandbox.plan import Plan, Refusal

_DESCRIPTION = "Soft hills under a calm sky, a round sun above them, and a banana, as there should be."
_CONTENTS: dict[str, Any] = {
    "empty": {},
    "parts_null": {"parts": None},
    "role_only": {"role": "model"},
    "null": None,
}

Part = dict[str, Any]


async def answer(
    call: Call, request: GenerateContentRequest, plan: Plan, pictures: Pictures
) -> dict[str, Any]:
    """Return the response message; each picture's base64 stands in it as a Blob."""
    if plan.no_candidates:
        return _response(call, {"candidates": []}, _refused_usage(request.prompt))
    refusal = plan.refusal
    if refusal is None and not request.wants_image:
        refusal = Refusal(finish_reason="STOP", text=_DESCRIPTION)
    if refusal is not None:
        return _refused(call, request, refusal)
    parts = await _parts(request, plan, pictures)
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}
    return _response(call, {"candidates": [candidate]}, _usage(request))


async def _parts(request: GenerateContentRequest, plan: Plan, pictures: Pictures) -> list[Part]:
    count = plan.flagged_drafts + plan.unflagged_drafts
    drafts = [await _picture(request, plan, pictures, variant) for variant in range(1, count + 1)]
    thinking = [{"text": "Composing the scene: light first, then the hills.", "thought": True}]
    final = await _picture(request, plan, pictures, 0)
    if plan.signature_bytes:
        final["thoughtSignature"] = Blob(_signature(plan.signature_bytes))
    return [
        *(thinking if plan.thought_text else []),
        *({**draft, "thought": True} for draft in drafts[: plan.flagged_drafts]),
        *([{"text": "Here is your picture."}] if plan.text_before else []),
        *drafts[plan.flagged_drafts :],
        final,
        *([{"text": _DESCRIPTION}] if plan.text_after else []),
    ]


async def _picture(request: GenerateContentRequest, plan: Plan, pictures: Pictures, variant: int) -> Part:
    order = picture_order(request, plan, variant=variant)
    data = Blob(await pictures.base64(order))
    return {"inlineData": {"mimeType": plan.claimed_mime_type or order.mime_type, "data": data}}


@lru_cache(maxsize=4)
def _signature(size: int) -> bytes:
    return pybase64.b64encode(chance(size).randbytes(size))


def _refused(call: Call, request: GenerateContentRequest, refusal: Refusal) -> dict[str, Any]:
    usage = _refused_usage(request.prompt)
    if refusal.block_reason:
        usage = {"promptTokenCount": usage["promptTokenCount"], "totalTokenCount": usage["promptTokenCount"]}
        return _response(call, {"promptFeedback": {"blockReason": refusal.block_reason}}, usage)
    candidate: dict[str, Any] = {"finishReason": refusal.finish_reason, "index": 0}
    if refusal.text:
        candidate["content"] = {"parts": [{"text": refusal.text}], "role": "model"}
    elif refusal.content != "missing":
        candidate["content"] = _CONTENTS[refusal.content]
    if refusal.finish_message:
        candidate["finishMessage"] = refusal.finish_message
    return _response(call, {"candidates": [candidate]}, usage)


def _response(call: Call, document: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
    return {**document, "usageMetadata": usage, "modelVersion": call.model_id, "responseId": uuid4().hex[:22]}


def _usage(request: GenerateContentRequest) -> dict[str, Any]:
    """Count tokens as Google does: candidatesTokenCount is 88 to 630 above the sum of its own details."""
    luck = chance(request.prompt)
    prompt, candidates = _token_count(request.prompt), request.image_tokens + luck.randint(88, 630)
    thoughts = luck.randint(120, 400)
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": candidates,
        "totalTokenCount": prompt + candidates + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": request.image_tokens}],
        "thoughtsTokenCount": thoughts,
    }


def _refused_usage(prompt: str) -> dict[str, Any]:
    """Count a refusal: the candidates mirror the thoughts, only the total is right."""
    tokens, thoughts = _token_count(prompt), chance(prompt).randint(120, 400)
    return {
        "promptTokenCount": tokens,
        "candidatesTokenCount": thoughts,
        "totalTokenCount": tokens + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}],
        "thoughtsTokenCount": thoughts,
    }


def _token_count(text: str) -> int:
    return len(text) // 4 + 1
