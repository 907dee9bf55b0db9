"""`:generateContent`, the protocol of the Gemini image models."""

import json
from collections.abc import Mapping
from typing import Any

from nanobanana.integrations.google import aspect_ratios, failures, picture
from nanobanana.integrations.google.errors import BrokenAnswerError
from nanobanana.integrations.google.long_strings import Answer
from nanobanana.integrations.google.shapes import code, count, mapping, mappings, out_of_list, text
from nanobanana.integrations.google.types import GoogleImage, ImageRequest

METHOD = "generateContent"


def body(request: ImageRequest) -> bytes:
    """Return what google-genai sends, byte for byte: hence json, with its spaces and escapes, and this order.

    Without an aspect ratio Google picks a shape of its own choice; with the TEXT modality it may answer prose.
    """
    aspect_ratio = aspect_ratios.closest(request.width, request.height, aspect_ratios.GENERATE_CONTENT)
    message = {
        "contents": [{"parts": [{"text": request.prompt}], "role": "user"}],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": {"aspectRatio": aspect_ratio, "imageSize": "1K"},
        },
    }
    return json.dumps(message).encode()


def parse(answer: Answer, *, model: str) -> GoogleImage:
    """Return the picture of a 200 answer; raises GoogleError when there is none."""
    document = out_of_list(answer.document)
    if not isinstance(document, dict):
        raise BrokenAnswerError("Google's answer is no JSON object.", http_status=200)
    block_reason = code(mapping(document.get("promptFeedback")).get("blockReason"))
    if block_reason:
        raise failures.from_block_reason(block_reason)
    encoded = _final_picture(next(iter(mappings(document.get("candidates"))), {}))
    data, mime_type = picture.decode(answer.long_strings.get(encoded, encoded))
    usage = mapping(document.get("usageMetadata"))
    return GoogleImage(
        data=data,
        mime_type=mime_type,
        model=model,
        input_tokens=count(usage.get("promptTokenCount")),
        output_tokens=count(usage.get("candidatesTokenCount")) + count(usage.get("thoughtsTokenCount")),
    )


def _final_picture(candidate: Mapping[str, Any]) -> str:
    """Return the base64 of the last picture that is no thought: drafts come first, some without the flag."""
    parts = [
        part
        for part in mappings(mapping(candidate.get("content")).get("parts"))
        if part.get("thought") is not True
    ]
    pictures = [text(mapping(part.get("inlineData")).get("data")) for part in parts]
    final = next((encoded for encoded in reversed(pictures) if encoded), "")
    reason = code(candidate.get("finishReason"))
    if final and failures.is_soft(reason):
        return final
    prose = " ".join(filter(None, (text(part.get("text")) for part in parts)))
    raise failures.from_finish_reason(reason, message=text(candidate.get("finishMessage")), prose=prose)
