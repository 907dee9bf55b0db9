"""`:predict`: dead by default, as Imagen is; alive with --imagen, as Imagen was."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.sandbox.caller import Caller
from tests.sandbox.conftest import running_sandbox

_MODEL = "imagen-4.0-generate-001"
_PATH = f"/v1beta/models/{_MODEL}:predict"
_VERTEX_PATH = f"/v1beta1/publishers/google/models/{_MODEL}:predict"


@pytest.fixture(scope="module")
def imagen() -> Iterator[Caller]:
    with running_sandbox("--imagen") as url, httpx2.Client(base_url=url, timeout=30) as http:
        yield Caller(http, key="sandbox")


def _body(prompt: str = "a fox", **parameters: Any) -> dict[str, Any]:
    return {"instances": [{"prompt": prompt}], "parameters": parameters}


def _size(prediction: dict[str, str]) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(prediction["bytesBase64Encoded"]))).size


def test_imagen_is_dead_by_default(caller: Caller) -> None:
    answer = caller.post(_PATH, _body())

    assert answer.status_code == 404
    assert "or is not supported for predict." in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("image_size", "ratio", "size"),
    [
        ("1K", "1:1", (1024, 1024)),
        ("1K", "4:3", (1280, 896)),
        ("1K", "3:4", (896, 1280)),
        ("1K", "16:9", (1408, 768)),
        ("1K", "9:16", (768, 1408)),
        ("2K", "16:9", (2816, 1536)),
    ],
)
def test_revived_imagen_gives_its_own_sizes(
    imagen: Caller, image_size: str, ratio: str, size: tuple[int, int]
) -> None:
    answer = imagen.post(_PATH, _body(sampleCount=1, aspectRatio=ratio, sampleImageSize=image_size))

    (prediction,) = answer.json()["predictions"]
    assert prediction["mimeType"] == "image/png"
    assert _size(prediction) == size


def test_four_different_pictures_by_default(imagen: Caller) -> None:
    predictions = imagen.post(_PATH, _body(outputOptions={"mimeType": "image/jpeg"})).json()["predictions"]

    assert {prediction["mimeType"] for prediction in predictions} == {"image/jpeg"}
    assert len({prediction["bytesBase64Encoded"] for prediction in predictions}) == 4


def test_a_filtered_picture_is_named_only_when_asked(imagen: Caller) -> None:
    prompt = "[sandbox:image_safety] a fox"

    silent = imagen.post(_PATH, _body(prompt)).json()
    named = imagen.post(_PATH, _body(prompt, includeRaiReason=True)).json()

    assert silent == {}
    assert named["predictions"][0]["raiFilteredReason"].startswith("Unable to show generated images.")


def test_seed_and_safety_attributes_belong_to_vertex(imagen: Caller) -> None:
    body = _body(sampleCount=1, seed=3, negativePrompt="rain", includeSafetyAttributes=True)

    vertex = imagen.post(_VERTEX_PATH, body)

    assert vertex.json()["predictions"][1]["contentType"] == "Positive Prompt"
    assert imagen.post(_PATH, body).status_code == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_body(""), "Text prompt cannot be empty."),
        (_body(sampleCount=5), "Sample count must be between 1 and 4."),
        (_body(aspectRatio="21:9"), "Aspect ratio is not enabled for this model"),
        (_body(sampleImageSize="4K"), "Image size is not enabled for this model"),
        (_body(outputOptions={"mimeType": "image/gif"}), "Unsupported output mime type: image/gif"),
    ],
)
def test_what_imagen_cannot_do_is_400(imagen: Caller, body: dict[str, Any], message: str) -> None:
    answer = imagen.post(_PATH, body)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)
