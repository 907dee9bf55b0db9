"""Google's own SDK, unmodified, against the sandbox."""

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from google.genai import errors, types
from PIL import Image

from google import genai
from nanobanana_sandbox.models import MODELS
from tests.sandbox.caller import MODEL


@pytest.fixture
def client(sandbox_url: str) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sandbox_url, api_version="v1beta", timeout=30_000)
    with genai.Client(api_key=f"test-{uuid4().hex}", http_options=options) as client:
        yield client


@pytest.fixture
def vertex_express(sandbox_url: str) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sandbox_url, timeout=30_000)
    with genai.Client(enterprise=True, api_key=f"test-{uuid4().hex}", http_options=options) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_the_sdk_gets_a_picture_in_every_ratio(client: genai.Client, model: str) -> None:
    for ratio, size in MODELS[model].sizes["1K"].items():
        image = types.ImageConfig(aspect_ratio=ratio)
        config = types.GenerateContentConfig(response_modalities=["IMAGE"], image_config=image, seed=7)

        response = client.models.generate_content(model=model, contents="[sandbox:test_card]", config=config)

        assert _picture(response).size == size


def test_the_sdk_chooses_the_image_size(client: genai.Client) -> None:
    config = types.GenerateContentConfig(image_config=types.ImageConfig(aspect_ratio="4:3", image_size="2K"))

    response = client.models.generate_content(model=MODEL, contents="a fox", config=config)

    assert _picture(response).size == (2400, 1792)


# The SDK derives from a class that aiohttp wants no heirs of.
@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_the_asynchronous_sdk_gets_a_picture(client: genai.Client) -> None:
    response = await client.aio.models.generate_content(model=MODEL, contents="a fox")
    await client.aio.aclose()

    assert _picture(response).size == (1024, 1024)


def test_the_sdk_sends_a_picture_to_edit(client: genai.Client) -> None:
    picture = types.Part.from_bytes(data=b"\xfb\xff\xfe", mime_type="image/png")

    contents = types.Content(role="user", parts=[picture, types.Part(text="make it blue")])
    response = client.models.generate_content(model=MODEL, contents=contents)

    assert _picture(response).size == (1024, 1024)


def test_the_sdk_streams_one_answer(client: genai.Client) -> None:
    (chunk,) = client.models.generate_content_stream(model=MODEL, contents="a fox")

    assert _picture(chunk).size == (1024, 1024)


def test_the_sdk_lists_and_gets_models(client: genai.Client) -> None:
    names = [model.name for model in client.models.list()]

    assert names == [f"models/{name}" for name in MODELS]
    assert client.models.get(model=MODEL).name == f"models/{MODEL}"
    with pytest.raises(errors.ClientError) as caught:
        client.models.get(model="gemini-99")
    assert caught.value.code == 404


@pytest.mark.parametrize(
    ("scenario", "error", "code", "status"),
    [
        ("api_key_expired", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("api_key_leaked", errors.ClientError, 403, "PERMISSION_DENIED"),
        ("model_retired", errors.ClientError, 404, "NOT_FOUND"),
        ("quota_minute", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("list_error", errors.ServerError, 503, "UNAVAILABLE"),
        ("internal", errors.ServerError, 500, "INTERNAL"),
        ("html_502", errors.ServerError, 502, "Bad Gateway"),
        ("deadline", errors.ServerError, 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_the_sdk_raises_what_google_would_make_it_raise(
    client: genai.Client, scenario: str, error: type[errors.APIError], code: int, status: str
) -> None:
    with pytest.raises(error) as caught:
        client.models.generate_content(model=MODEL, contents=f"[sandbox:{scenario}] a fox")

    assert (caught.value.code, caught.value.status) == (code, status)


def test_the_sdk_sees_a_refusal(client: genai.Client) -> None:
    refused = client.models.generate_content(model=MODEL, contents="[sandbox:image_safety]")
    blocked = client.models.generate_content(model=MODEL, contents="[sandbox:prompt_blocked]")

    assert refused.candidates is not None
    assert refused.candidates[0].finish_reason is types.FinishReason.IMAGE_SAFETY
    assert blocked.prompt_feedback is not None
    assert blocked.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT


def test_the_sdk_works_in_vertex_express_mode(vertex_express: genai.Client) -> None:
    options = types.ImageConfig(aspect_ratio="16:9", output_mime_type="image/png")
    config = types.GenerateContentConfig(image_config=options)

    response = vertex_express.models.generate_content(model=MODEL, contents="a fox", config=config)
    refused = vertex_express.models.generate_content(model=MODEL, contents="[sandbox:image_other]")

    assert (_picture(response).format, _picture(response).size) == ("PNG", (1376, 768))
    assert refused.candidates is not None
    assert "You will not be charged" in str(refused.candidates[0].finish_message)


def _picture(response: types.GenerateContentResponse) -> Image.Image:
    data = [part.inline_data.data for part in response.parts or [] if part.inline_data and not part.thought]
    return Image.open(io.BytesIO(data[-1] or b""))
