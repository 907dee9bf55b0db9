from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person
from tests.receiver import Receiver, receiving

ALL_EVENTS = ["image.completed", "image.failed", "quota.warning", "quota.exhausted", "key.rotated"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Receivers of this machine are allowed."""
    return settings.model_copy(update={"webhook_allowed_networks": (ip_network("127.0.0.0/8"),)})


class Desk:
    """Alice at her webhooks, and time."""

    def __init__(self, client: AsyncClient, services: Services, person: Person) -> None:
        self.client = client
        self.services = services
        self.person = person

    async def call(self, method: str, path: str = "", json: Any = None) -> Response:
        url = f"/v1/webhooks{path}"
        return await self.client.request(method, url, json=json, headers=self.person.by_session)

    async def add(self, url: str, events: list[str] | None = None) -> dict[str, Any]:
        made = await self.call("POST", json={"url": url, "events": events or ALL_EVENTS})
        assert made.status_code == 201, made.text
        return made.json()

    async def generate(self, prompt: str = "a banana", *, test: bool = True) -> Any:
        headers = self.person.by_test_key if test else self.person.by_key
        return (await self.client.post("/v1/generate", json={"prompt": prompt}, headers=headers)).json()

    async def test(self, webhook: dict[str, Any]) -> dict[str, Any]:
        sent = await self.call("POST", f"/{webhook['id']}/test")
        assert sent.status_code == 202, sent.text
        return sent.json()

    async def deliveries(self, webhook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
        return (await self.call("GET", f"/{webhook['id']}/deliveries{query}")).json()["data"]

    async def dispatch(self) -> None:
        """One turn of the timetable, and what it began, to its end."""
        dispatcher = self.services.dispatcher
        await dispatcher.send_due()
        for tasks in dispatcher._tasks.values():
            for task in list(tasks):
                await task

    async def due(self) -> None:
        """Time passes until everything pending is due, and no endpoint rests."""
        for statement in (
            "update webhook_deliveries set due_at = now() where state = 'pending'",
            "update webhooks set held_until = null",
        ):
            await self.services.database.statement(statement, {})

    async def tried(self, webhook: dict[str, Any], *, times: int = 1) -> dict[str, Any]:
        """The newest delivery, after so many further tries."""
        for _ in range(times):
            await self.due()
            await self.dispatch()
        return (await self.deliveries(webhook))[0]


@pytest.fixture
async def desk(client: AsyncClient, services: Services, alice: Person) -> Desk:
    return Desk(client, services, alice)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent but when the test says so."""
    monkeypatch.setattr("nanobanana.worker.jobs._DISPATCH_WEBHOOKS_S", 3_600)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as (receiver, _):
        yield receiver
