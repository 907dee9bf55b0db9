"""The list of models: what is gone is skipped, reported, and not asked again for a while."""

import itertools
import time

import aiohttp
import pytest
from structlog.testing import capture_logs

from nanobanana.integrations.google.errors import ModelGoneError
from nanobanana.integrations.google.models import FORGET_AFTER_S
from nanobanana.integrations.google.types import ImageRequest
from tests.integrations.google.conftest import LITE, GoogleFactory

GONE, ALSO_GONE = "gemini-retired-image", "imagen-retired"
REQUEST = ImageRequest(prompt="a quiet hill", width=1024, height=1024)


async def models_asked(client: aiohttp.ClientSession, url: str, api_key: str) -> list[str]:
    async with client.get(f"{url}/_sandbox/calls", headers={"x-goog-api-key": api_key}) as response:
        return [call["model"] for call in (await response.json())["calls"]]


async def test_a_model_that_is_gone_is_skipped_reported_and_remembered(
    google: GoogleFactory, http_client: aiohttp.ClientSession, sandbox_url: str, api_key: str
) -> None:
    # given
    images = google(models=(GONE, LITE))

    # when
    with capture_logs() as logs:
        for _ in range(3):
            async with images.generate(REQUEST) as picture:
                assert picture.model == LITE

    # then
    assert await models_asked(http_client, sandbox_url, api_key) == [GONE, LITE, LITE, LITE]
    assert [(entry["event"], entry["model"]) for entry in logs] == [("google.model_gone", GONE)]


async def test_a_model_that_was_gone_is_asked_again_after_ten_minutes(
    google: GoogleFactory,
    http_client: aiohttp.ClientSession,
    sandbox_url: str,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    images = google(models=(GONE, LITE))
    async with images.generate(REQUEST):
        pass

    # when
    later = time.monotonic() + FORGET_AFTER_S
    monkeypatch.setattr("nanobanana.integrations.google.models.time.monotonic", lambda: later)
    async with images.generate(REQUEST):
        pass

    # then
    assert await models_asked(http_client, sandbox_url, api_key) == [GONE, LITE, GONE, LITE]


async def test_with_every_model_gone_each_request_asks_them_all_and_fails(
    google: GoogleFactory, http_client: aiohttp.ClientSession, sandbox_url: str, api_key: str
) -> None:
    images = google(models=(GONE, ALSO_GONE))

    for _ in range(2):
        with pytest.raises(ModelGoneError):
            await images.generate(REQUEST).__aenter__()

    asked = await models_asked(http_client, sandbox_url, api_key)
    assert asked == list(itertools.chain((GONE, ALSO_GONE), (GONE, ALSO_GONE)))


async def test_another_failure_does_not_move_on_to_the_next_model(
    google: GoogleFactory, http_client: aiohttp.ClientSession, sandbox_url: str, api_key: str
) -> None:
    request = ImageRequest(prompt="a hill [sandbox:overloaded]", width=1024, height=1024)

    with pytest.raises(Exception, match="unavailable"):
        await google(models=("gemini-3-pro-image", LITE)).generate(request).__aenter__()

    assert await models_asked(http_client, sandbox_url, api_key) == ["gemini-3-pro-image"]
