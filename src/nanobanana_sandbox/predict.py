"""`:predict`, Imagen's protocol: up to four pictures an answer, a filtered one is named or simply missing."""

from dataclasses import dataclass
from typing import Any

from nanobanana_sandbox import errors, protojson, schema
from nanobanana_sandbox.answers import Blob
from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.models import Model
from nanobanana_sandbox.orders import PictureRequest, picture_order
from nanobanana_sandbox.pictures import Pictures
from nanobanana_sandbox.plan import Plan

_FILTERED = (
    "Unable to show generated images. All images were filtered out because they violated Vertex AI's usage guidelines."
    " You will not be charged for blocked images. Try rephrasing the prompt. If you think this was an error, send"
    " feedback. Support codes: 15236754"
)
_FILE_TYPES = ("image/jpeg", "image/png")


@dataclass(frozen=True, kw_only=True)
class PredictRequest(PictureRequest):
    samples: int
    wants_rai_reason: bool
    wants_safety_attributes: bool


def parse(call: Call, model: Model) -> PredictRequest:
    """Read and check the body; raises the 400 that Google answers."""
    message = protojson.parse(call.body, schema.VERTEX_PREDICT if call.is_vertex else schema.PREDICT)
    instances = message.get("instances") or [{}]
    if not instances[0].get("prompt"):
        raise errors.invalid_argument("Text prompt cannot be empty.")
    parameters = message.get("parameters", {})
    return PredictRequest(
        prompt=instances[0]["prompt"],
        seed=parameters.get("seed"),
        size=_size(parameters, model),
        mime_type=_mime_type(parameters, model),
        samples=_samples(parameters),
        wants_rai_reason=parameters.get("includeRaiReason", False),
        wants_safety_attributes=parameters.get("includeSafetyAttributes", False),
    )


async def answer(request: PredictRequest, plan: Plan, pictures: Pictures) -> dict[str, Any]:
    """Return the response message; each picture's base64 stands in it as a Blob."""
    if plan.refusal is not None or plan.no_candidates:
        return {"predictions": [{"raiFilteredReason": _FILTERED}]} if request.wants_rai_reason else {}
    predictions = [await _prediction(request, plan, pictures, sample) for sample in range(request.samples)]
    if request.wants_safety_attributes:
        attributes = {"categories": ["Violence"], "scores": [0.1]}
        predictions.append({"contentType": "Positive Prompt", "safetyAttributes": attributes})
    return {"predictions": predictions}


def _size(parameters: dict[str, Any], model: Model) -> tuple[int, int]:
    by_ratio = model.sizes.get(parameters.get("sampleImageSize") or "1K")
    if by_ratio is None:
        raise errors.size_not_enabled()
    size = by_ratio.get(parameters.get("aspectRatio") or "1:1")
    if size is None:
        raise errors.ratio_not_enabled()
    return size


def _mime_type(parameters: dict[str, Any], model: Model) -> str:
    mime_type: str = parameters.get("outputOptions", {}).get("mimeType") or model.mime_type
    if mime_type not in _FILE_TYPES:
        raise errors.invalid_argument(f"Unsupported output mime type: {mime_type}")
    return mime_type


def _samples(parameters: dict[str, Any]) -> int:
    samples: int = parameters.get("sampleCount", 4)
    if not 1 <= samples <= 4:
        raise errors.invalid_argument("Sample count must be between 1 and 4.")
    return samples


async def _prediction(request: PredictRequest, plan: Plan, pictures: Pictures, sample: int) -> dict[str, Any]:
    order = picture_order(request, plan, variant=sample)
    data = Blob(await pictures.base64(order))
    return {"mimeType": plan.claimed_mime_type or order.mime_type, "bytesBase64Encoded": data}
