"""What a `:generateContent` call asks for."""

from dataclasses import dataclass
from typing import Any

from nanobanana_sandbox import errors, protojson, schema
from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.models import Model
from nanobanana_sandbox.orders import PictureRequest

_RATIO_PREFIX, _SIZE_PREFIX = "ASPECT_RATIO_", "IMAGE_SIZE_"
_NUMBERS = {
    "ONE": 1,
    "TWO": 2,
    "THREE": 3,
    "FOUR": 4,
    "FIVE": 5,
    "EIGHT": 8,
    "NINE": 9,
    "SIXTEEN": 16,
    "TWENTY_ONE": 21,
}
_IMAGE_SIZES = {"FIVE_TWELVE": "512", "ONE_K": "1K", "TWO_K": "2K", "FOUR_K": "4K"}
_FILE_TYPES = ("image/jpeg", "image/png")


@dataclass(frozen=True, kw_only=True)
class GenerateContentRequest(PictureRequest):
    image_tokens: int


def parse(call: Call, model: Model) -> GenerateContentRequest:
    """Read and check the body; raises the 400 that Google answers."""
    message = protojson.parse(
        call.body, schema.VERTEX_GENERATE_CONTENT if call.is_vertex else schema.GENERATE_CONTENT
    )
    prompt = _prompt(message.get("contents") or [])
    config = message.get("generationConfig", {})
    if config.get("candidateCount", 1) != 1:
        raise errors.invalid_argument("Multiple candidates is not enabled for this model")
    image = {**config.get("responseFormat", {}).get("image", {}), **config.get("imageConfig", {})}
    image_size = _image_size(image, model)
    return GenerateContentRequest(
        prompt=prompt,
        seed=config.get("seed"),
        size=model.sizes[image_size][_aspect_ratio(image, image_size, model)],
        mime_type=_mime_type(image.get("imageOutputOptions", {}), model),
        wants_image=_wants_image(config.get("responseModalities") or [], model),
        image_tokens=model.output_tokens[image_size],
    )


def _prompt(contents: list[dict[str, Any]]) -> str:
    if not contents:
        raise errors.invalid_argument("* GenerateContentRequest.contents: contents is not specified\n")
    for index, content in enumerate(contents):
        _check_content(content, f"* GenerateContentRequest.contents[{index}].parts")
    return "\n".join(part["text"] for content in contents for part in content["parts"] if part.get("text"))


def _check_content(content: dict[str, Any], place: str) -> None:
    if content.get("role", "user") not in ("user", "model"):
        raise errors.invalid_argument("Please use a valid role: user, model.")
    if not content.get("parts"):
        raise errors.invalid_argument(f"{place}: contents.parts must not be empty.\n")
    for index, part in enumerate(content["parts"]):
        if not part:
            raise errors.invalid_argument(
                f"{place}[{index}].data: required oneof field 'data' must have one initialized field\n"
            )


def _image_size(image: dict[str, Any], model: Model) -> str:
    """Accept `1K` and `IMAGE_SIZE_ONE_K`, but never `1k`: so does Google."""
    name = image.get("imageSize") or "1K"
    size = _IMAGE_SIZES.get(name.removeprefix(_SIZE_PREFIX), name)
    if size not in model.sizes:
        raise errors.size_not_enabled()
    return size


def _aspect_ratio(image: dict[str, Any], image_size: str, model: Model) -> str:
    """Accept `16:9` and `ASPECT_RATIO_SIXTEEN_BY_NINE`."""
    ratio = image.get("aspectRatio") or "1:1"
    if ratio.startswith(_RATIO_PREFIX):
        width, _, height = ratio.removeprefix(_RATIO_PREFIX).partition("_BY_")
        ratio = f"{_NUMBERS.get(width)}:{_NUMBERS.get(height)}"
    if ratio not in model.sizes[image_size]:
        raise errors.ratio_not_enabled()
    return ratio


def _mime_type(options: dict[str, Any], model: Model) -> str:
    mime_type: str = options.get("mimeType") or model.mime_type
    if mime_type not in _FILE_TYPES:
        raise errors.invalid_argument(f"Unsupported output mime type: {mime_type}")
    return mime_type


def _wants_image(modalities: list[str], model: Model) -> bool:
    if set(modalities) - {"TEXT", "IMAGE"}:
        raise errors.invalid_argument(
            f"The requested combination of response modalities ({', '.join(modalities)}) is not supported by the model."
            f" models/{model.id} accepts the following combination of response modalities:\n* TEXT, IMAGE\n"
        )
    return "IMAGE" in modalities or not modalities
