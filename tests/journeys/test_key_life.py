"""Keys that change under load, with three web processes that each remember what they saw."""

import asyncio
import secrets
import time
from collections import Counter
from contextlib import suppress

import pytest
from httpx2 import AsyncClient

from tests.cli.serving import Service
from tests.people import Person, sign_up

PROMPT = {"prompt": "a banana"}
# Concurrent callers; each keeps asking, on a connection of its own, so that all processes are met.
CALLERS = 12


class Load:
    """Callers that use a text again and again; `statuses` has what they got, with the moment each call began."""

    def __init__(self, url: str, text: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {text}"}
        self.calls: list[tuple[float, int]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._ask_on()) for _ in range(CALLERS)]

    async def until(self, more_calls: int) -> None:
        wanted = len(self.calls) + more_calls
        async with asyncio.timeout(60):
            while len(self.calls) < wanted:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def statuses(self, *, begun_after: float = 0) -> Counter[int]:
        return Counter(status for begun, status in self.calls if begun > begun_after)

    async def _ask_on(self) -> None:
        while True:
            # A connection lasts three calls: the next one may be taken by another process.
            async with AsyncClient(base_url=self._url, headers=self._headers, timeout=60) as client:
                for _ in range(3):
                    begun = time.monotonic()
                    answer = await client.post("/v1/generate", json=PROMPT, headers={"Prefer": "wait=0"})
                    self.calls.append((begun, answer.status_code))


@pytest.fixture
async def owner(lasting_service: Service) -> Person:
    async with AsyncClient(base_url=lasting_service.url, timeout=30) as client:
        return await sign_up(client, f"{secrets.token_hex(4)}@example.com")


async def _live_key_id(client: AsyncClient) -> str:
    keys = (await client.get("/v1/keys")).json()["data"]
    return next(key["id"] for key in keys if key["mode"] == "live")


async def test_a_rotation_under_load_costs_no_call_during_the_overlap_and_ends_all_after_it(
    lasting_service: Service, owner: Person
) -> None:
    async with AsyncClient(base_url=lasting_service.url, headers=owner.by_session, timeout=30) as client:
        id = await _live_key_id(client)
        old = Load(lasting_service.url, owner.key)
        await old.start()
        await old.until(100)

        rotated = (await client.post(f"/v1/keys/{id}/rotate", json={"overlap_seconds": 604_800})).json()
        new = Load(lasting_service.url, rotated["key"])
        await new.start()
        await asyncio.gather(old.until(100), new.until(100))
        during = old.statuses() + new.statuses()

        await client.post(f"/v1/keys/{id}/rotate", json={"overlap_seconds": 0})
        ended = time.monotonic()
        await asyncio.gather(old.until(100), new.until(100))
        with suppress(asyncio.CancelledError):
            await asyncio.gather(old.stop(), new.stop())

    assert set(during) <= {200, 202}
    assert sum(during.values()) >= 300
    for load in (old, new):
        after = load.statuses(begun_after=ended)
        assert set(after) == {401}
        assert after[401] >= 80


async def test_after_a_revocation_is_answered_no_call_that_begins_later_succeeds(
    lasting_service: Service, owner: Person
) -> None:
    headers = {**owner.by_key, "Prefer": "wait=0"}
    async with (
        AsyncClient(base_url=lasting_service.url, headers=owner.by_session, timeout=30) as client,
        AsyncClient(base_url=lasting_service.url, headers=headers, timeout=60) as caller,
    ):
        id = await _live_key_id(client)

        async def ask() -> tuple[float, int]:
            begun = time.monotonic()
            return begun, (await caller.post("/v1/generate", json=PROMPT)).status_code

        calls = [asyncio.create_task(ask()) for _ in range(200)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        revoked = await client.delete(f"/v1/keys/{id}")
        ended = time.monotonic()
        later = [asyncio.create_task(ask()) for _ in range(100)]
        answers = await asyncio.gather(*calls, *later)

    assert revoked.status_code == 204
    assert {status for _, status in answers} <= {200, 202, 401}
    assert Counter(status for begun, status in answers if begun > ended) == {401: 100}
    assert any(status != 401 for _, status in answers)
