"""What goes over the wire: the same as from the unmodified google-genai SDK."""

import warnings

import pytest
from google.genai import types

from google import genai
from nanobanana import __version__
from nanobanana.integrations.google.types import ImageRequest
from tests.integrations.google.conftest import NANO_BANANA, GoogleFactory
from tests.integrations.google.raw_server import RawServer, http_answer

PROMPT = 'a "cät" 😀\n</b> \u2028 on a hill'
REQUEST = ImageRequest(prompt=PROMPT, width=1280, height=896)
IMAGEN = "imagen-4.0-generate-001"


def split(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the request line, the headers by lower-case name, and the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}, body


def sdk(url: str, *, enterprise: bool) -> genai.Client:
    options = types.HttpOptions(
        base_url=url,
        api_version="v1beta",
        timeout=30_000,
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    return genai.Client(api_key="test-key", enterprise=enterprise, http_options=options)


async def test_a_generate_content_request_equals_the_sdks(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    # given
    config = types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio="3:2", image_size="1K"),
    )

    # when
    async with google(base_url=raw_server.url, api_key="test-key").generate(REQUEST):
        pass
    # The SDK inherits from aiohttp's session, of which aiohttp disapproves.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        async with sdk(raw_server.url, enterprise=False).aio as client:
            await client.models.generate_content(model=NANO_BANANA, contents=PROMPT, config=config)

    # then
    (line, headers, body), (sdk_line, sdk_headers, sdk_body) = map(split, raw_server.requests)
    same = ("content-type", "content-length", "x-goog-api-key", "x-server-timeout", "accept", "host")
    assert (line, body) == (sdk_line, sdk_body)
    assert {name: headers[name] for name in same} == {name: sdk_headers[name] for name in same}


async def test_a_predict_request_has_the_body_that_the_sdk_sends(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    # given
    raw_server.answer = http_answer(b'{"predictions":[{"bytesBase64Encoded":"/9j/4AAA"}]}')
    config = types.GenerateImagesConfig(number_of_images=1, aspect_ratio="4:3", include_rai_reason=True)

    # when
    async with google(base_url=raw_server.url, model=IMAGEN).generate(REQUEST):
        pass
    # The SDK knows :predict on Vertex AI only, and says that it is deprecated.
    with warnings.catch_warnings(action="ignore"):
        async with sdk(raw_server.url, enterprise=True).aio as client:
            await client.models.generate_images(model=IMAGEN, prompt=PROMPT, config=config)

    # then
    (line, _, body), (_, _, sdk_body) = map(split, raw_server.requests)
    assert line == f"POST /v1beta/models/{IMAGEN}:predict HTTP/1.1"
    assert body == sdk_body


async def test_our_own_name_is_given_and_compression_refused(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    async with google(base_url=raw_server.url).generate(REQUEST):
        pass

    _, headers, _ = split(raw_server.requests[0])
    assert headers["user-agent"] == f"nanobanana/{__version__}"
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(("timeout_s", "header"), [(0.2, "1"), (30, "30"), (59.5, "60")])
async def test_google_is_told_how_long_we_wait(
    google: GoogleFactory, raw_server: RawServer, timeout_s: float, header: str
) -> None:
    async with google(base_url=raw_server.url, timeout_s=timeout_s).generate(REQUEST):
        pass

    _, headers, _ = split(raw_server.requests[0])
    assert headers["x-server-timeout"] == header
