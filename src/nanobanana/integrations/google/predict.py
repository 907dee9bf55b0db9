"""`:predict`, the protocol of the Imagen models, wherever they are still served."""

import json

from nanobanana.integrations.google import aspect_ratios, failures, picture
from nanobanana.integrations.google.errors import BrokenAnswerError
from nanobanana.integrations.google.long_strings import Answer
from nanobanana.integrations.google.shapes import mappings, text
from nanobanana.integrations.google.types import GoogleImage, ImageRequest

METHOD = "predict"


def body(request: ImageRequest) -> bytes:
    """Return what google-genai sends, byte for byte.

    The size is left out: 1K is every Imagen model's default, and Imagen 3 refuses the field.
    Without includeRaiReason a filtered picture is simply missing.
    """
    aspect_ratio = aspect_ratios.closest(request.width, request.height, aspect_ratios.PREDICT)
    message = {
        "instances": [{"prompt": request.prompt}],
        "parameters": {"sampleCount": 1, "aspectRatio": aspect_ratio, "includeRaiReason": True},
    }
    return json.dumps(message).encode()


def parse(answer: Answer, *, model: str) -> GoogleImage:
    """Return the picture of a 200 answer; raises GoogleError when there is none. Imagen counts no tokens."""
    if not isinstance(answer.document, dict):
        raise BrokenAnswerError("Google's answer is no JSON object.", http_status=200)
    predictions = mappings(answer.document.get("predictions"))
    encoded = next(filter(None, (text(item.get("bytesBase64Encoded")) for item in predictions)), "")
    if not encoded:
        explanation = next(filter(None, (text(item.get("raiFilteredReason")) for item in predictions)), "")
        if explanation:
            raise failures.from_rai_reason(explanation)
        raise failures.from_finish_reason("NO_IMAGE", message="", prose="")
    data, mime_type = picture.decode(answer.long_strings.get(encoded, encoded))
    return GoogleImage(data=data, mime_type=mime_type, model=model, input_tokens=0, output_tokens=0)
