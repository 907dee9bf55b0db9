"""The store takes no pictures: callers get theirs all the same, until as many wait as may."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message, Receive, Scope, Send

from nanobanana.domain.images import service as images_service
from nanobanana.domain.images import waiting_repository
from nanobanana.domain.webhooks.payloads import Payloads
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.google import Google
from tests.people import Person

PROMPT = {"prompt": "a banana"}


class Folder:
    """Of the local store: where a file lies in its place nothing can be kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name("aside")

    def break_(self) -> None:
        self._path.rename(self._aside)
        self._path.touch()

    def mend(self) -> None:
        self._path.unlink()
        self._aside.rename(self._path)

    def files(self) -> dict[str, bytes]:
        return {str(file.relative_to(self._path)): file.read_bytes() for file in self._path.rglob("*.*")}


@pytest.fixture
def google(sandbox_url: str) -> Google:
    return Google(sandbox_url)


@pytest.fixture
def settings(settings: Settings, google: Google) -> Settings:
    """The test itself moves what waits."""
    return google.of(settings).model_copy(update={"run_jobs": False})


@pytest.fixture
def folder(services: Services) -> Folder:
    return Folder(services.settings.image_dir)


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_repository, "_SETTLED_WITHIN", "interval '0'")


async def order(client: AsyncClient, person: Person, **headers: str) -> dict[str, Any]:
    answer = await client.post("/v1/generate", json=PROMPT, headers={**person.by_key, **headers})
    assert answer.status_code == 200, answer.text
    return answer.json()


def bytes_of(url: str) -> bytes:
    assert url.startswith("data:image/jpeg;base64,")
    return base64.b64decode(url.partition(",")[2])


async def move(services: Services) -> None:
    async with asyncio.timeout(20):
        while services.stores.chosen.is_away:
            await asyncio.sleep(0.02)
    await services.stores.mover.move_waiting()
    await services.stores.waiting_room.look()


async def waiting(services: Services) -> int:
    rows = await services.database.statement("select count(*) as number from image_bytes", {})
    return rows[0]["number"]


async def images_are(client: AsyncClient) -> str:
    return (await client.get("/v1/status")).json()["components"][0]["status"]


async def test_in_an_outage_answers_hold_the_picture_and_afterwards_its_link(
    client: AsyncClient, alice: Person, services: Services, folder: Folder
) -> None:
    before = await order(client, alice)
    folder.break_()
    made = [await order(client, alice, **{"Idempotency-Key": f"key-{number}"}) for number in range(3)]

    assert [answer["stored"] for answer in (before, *made)] == [True, False, False, False]
    assert {answer["charge"]["state"] for answer in made} == {"captured"}
    assert await images_are(client) == "degraded"
    assert "nanobanana_store_up 0.0" in (await client.get("/metrics")).text
    last = made[-1]
    at_last = f"/v1/generations/{last['id']}"
    assert (await client.get(at_last, headers=alice.by_key)).json()["url"] == last["url"]
    assert (await client.get(f"{at_last}?wait=1", headers=alice.by_key)).json()["url"] == last["url"]
    assert (await order(client, alice, **{"Idempotency-Key": "key-2"})) == last
    listed = (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]
    assert [row["url"] for row in listed] == [None, None, None, before["url"]]
    assert (await told(services, last["id"]))["url"] is None

    folder.mend()
    await move(services)

    assert await images_are(client) == "operational"
    for answer in made:
        now = (await client.get(f"/v1/generations/{answer['id']}", headers=alice.by_key)).json()
        assert now == {**answer, "stored": True, "url": now["url"]}
        assert (await client.get(now["url"])).content == bytes_of(answer["url"])
    assert (await told(services, last["id"]))["stored"] is True
    assert await waiting(services) == 0
    assert len(folder.files()) == 4
    assert await services.billing.reconcile() == []


async def told(services: Services, id: str) -> dict[str, Any]:
    """As a webhook would."""
    rows = await services.database.statement(
        "select account_id from generations where id = %(id)s", {"id": id}
    )
    payloads = Payloads(services.database, images=services.images, base_url="http://nanobanana.test")
    return await payloads._image(id, account_id=rows[0]["account_id"])


async def test_answers_that_hold_pictures_are_in_memory_in_a_bounded_number_until_they_are_taken(
    client: AsyncClient,
    alice: Person,
    app: FastAPI,
    services: Services,
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder.break_()
    once = {"Idempotency-Key": "once"}
    made = await order(client, alice, **once)
    address = f"/v1/generations/{made['id']}"
    monkeypatch.setattr(images_service, "_DATA_URL_PATIENCE_S", 0.2)
    monkeypatch.setattr(services.images, "_data_urls", asyncio.Semaphore(2))
    taken = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def to_slow_caller(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await taken.wait()
            await send(message)

        await app(scope, receive, to_slow_caller)

    async with AsyncClient(transport=ASGITransport(slow), base_url=str(client.base_url)) as slow_client:
        calls = [asyncio.create_task(slow_client.get(address, headers=alice.by_key)) for _ in range(2)]
        await asyncio.sleep(0.1)
        shown = await client.get(address, headers=alice.by_key)
        repeated = await client.post("/v1/generate", json=PROMPT, headers={**alice.by_key, **once})
        taken.set()
        answers = [(await call).json() for call in calls]

    assert [shown.status_code, repeated.status_code] == [200, 202]
    for later in (shown, repeated):
        assert later.json() == {**made, "url": None}
        assert (later.headers["location"], later.headers["retry-after"]) == (address, "5")
        assert later.headers["ratelimit"]
    assert answers == [made, made]
    now = await client.get(address, headers=alice.by_key)
    assert (now.json(), "ratelimit" in now.headers) == (made, True)


class TestWithLittleRoom:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"store_outage_bytes": 1, "queue_max_length": 1})

    async def test_when_no_more_may_wait_orders_are_refused_before_anything_is_held(
        self, client: AsyncClient, alice: Person, services: Services, folder: Folder, google: Google
    ) -> None:
        folder.break_()
        last = await order(client, alice, **{"Idempotency-Key": "the-last"})
        calls = google.calls()

        for key in (alice.key, alice.test_key):
            for path in ("/v1/generate", "/v1/generate?dry_run=true"):
                headers = {"Authorization": f"Bearer {key}"}
                refused = await client.post(path, json=PROMPT, headers=headers)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
                error = refused.json()["error"]
                assert (error["code"], error["charged"]) == ("overloaded", False)
        assert google.calls() == calls
        assert (await order(client, alice, **{"Idempotency-Key": "the-last"})) == last
        assert await images_are(client) == "down"
        rows = await services.database.statement("select state from generations", {})
        assert [row["state"] for row in rows] == ["succeeded"]
        # Also at the next look, and also what has waited in the queue.
        await services.stores.waiting_room.look()
        await services.database.statement(
            "update generations set state = 'queued', finished_at = null, image_state = null, image_place = null",
            {},
        )
        await services.runner.work_off_queue()
        rows = await services.database.statement("select state from generations", {})
        assert [row["state"] for row in rows] == ["queued"]
        await services.database.statement("delete from image_bytes", {})
        await services.stores.waiting_room.look()
        folder.mend()

        assert (await order(client, alice))["stored"] is (not services.stores.chosen.is_away)
