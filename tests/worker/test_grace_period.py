"""At its end a process gives all its work one grace period."""

import asyncio
import time

import pytest
from httpx2 import AsyncClient

from nanobanana.app import create_app
from nanobanana.domain.notifications.service import Notifications
from nanobanana.settings import Settings
from nanobanana.shutdown import AFTER_GRACE_S
from nanobanana.storage.queue import defer
from tests.conftest import in_memory
from tests.people import sign_up

GRACE_S = 4


async def test_images_and_jobs_have_it_together_and_not_one_after_the_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        hangs.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(Notifications, "password_changed", hang)
    app = create_app(settings.model_copy(update={"shutdown_grace_s": GRACE_S}))
    async with app.router.lifespan_context(app), in_memory(app) as client:
        await _order(client)
        async with app.state.services.database.begin() as connection:
            await defer(connection, "send_password_changed", email="ada@example.com")
        await hangs.wait()
        began = time.monotonic()
    assert GRACE_S - 0.1 < time.monotonic() - began < 2 * GRACE_S


async def test_what_will_not_end_ends_within_the_time_that_its_supervisor_allows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not ended.is_set():
            try:
                await ended.wait()
            except asyncio.CancelledError:
                continue

    ended = asyncio.Event()
    monkeypatch.setattr("nanobanana.domain.generation.maker.Maker.make", hang)
    monkeypatch.setattr("nanobanana.domain.status.service.StatusBoard.look", hang)
    app = create_app(settings.model_copy(update={"shutdown_grace_s": 0}))
    async with app.router.lifespan_context(app), in_memory(app) as client:
        await _order(client)
        began = time.monotonic()
    took = time.monotonic() - began
    ended.set()
    assert took < AFTER_GRACE_S


async def _order(client: AsyncClient) -> None:
    alice = await sign_up(client, "alice@example.com")
    headers = {**alice.by_key, "Prefer": "respond-async"}
    body = {"prompt": "a banana [sandbox:latency=60]"}
    assert (await client.post("/v1/generate", json=body, headers=headers)).status_code == 202
