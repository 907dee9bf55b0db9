"""How often an order goes to the databases. Everything that waits for an image waits for these too."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import AsyncClient
from redis.asyncio.connection import AbstractConnection

from nanobanana.app import create_app
from nanobanana.services import Services, open_services
from nanobanana.settings import Settings
from tests.conftest import in_memory
from tests.people import Person, sign_up

pytestmark = pytest.mark.usefixtures("patience_with_redis")

_ORDER = {"prompt": "a banana"}


@dataclass
class Trips:
    services: Services
    to_redis: int = 0

    def so_far(self) -> tuple[int, int]:
        """To PostgreSQL and to Redis."""
        return self.services.database._pool.get_stats().get("requests_num", 0), self.to_redis


@pytest.fixture
async def services(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """Without the timetable, whose work would count too, and with keys that stay known."""
    monkeypatch.setattr("nanobanana.domain.api_keys.service._CACHE_S", 600)
    async with open_services(settings) as services:
        yield services


@pytest.fixture
def trips(services: Services, monkeypatch: pytest.MonkeyPatch) -> Trips:
    trips = Trips(services)
    send = AbstractConnection.send_packed_command

    async def counted(connection: AbstractConnection, *arguments: Any, **options: Any) -> None:
        trips.to_redis += 1
        await send(connection, *arguments, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    return trips


@pytest.fixture
async def client(settings: Settings, services: Services) -> AsyncIterator[AsyncClient]:
    app = create_app(settings)
    app.state.services = services
    async with in_memory(app) as client:
        yield client


async def _one_more(client: AsyncClient, trips: Trips, person: Person) -> tuple[int, tuple[int, int]]:
    """An image, which makes the key known, then another: its status, and its ways to PostgreSQL and Redis."""
    assert (await client.post("/v1/generate", json=_ORDER, headers=person.by_key)).status_code == 200
    before = trips.so_far()
    answer = await client.post("/v1/generate", json=_ORDER, headers=person.by_key)
    await asyncio.sleep(0.01)  # what nobody waits for is sent after the answer
    after = trips.so_far()
    return answer.status_code, (after[0] - before[0], after[1] - before[1])


async def _somebody(client: AsyncClient, **settings: int) -> Person:
    person = await sign_up(client, "alice@example.com")
    keys = (await client.get("/v1/keys", headers=person.by_session)).json()["data"]
    live = next(key["id"] for key in keys if key["mode"] == "live")
    await client.patch(f"/v1/keys/{live}", json=settings, headers=person.by_session)
    return person


async def test_an_image_takes_one_command_of_redis_and_two_statements(
    client: AsyncClient, trips: Trips
) -> None:
    alice = await _somebody(client)

    assert await _one_more(client, trips, alice) == (200, (2, 1))


async def test_a_429_takes_one_command_of_redis_and_nothing_of_postgresql(
    client: AsyncClient, trips: Trips
) -> None:
    alice = await _somebody(client, images_per_hour=1)

    assert await _one_more(client, trips, alice) == (429, (0, 1))


async def test_a_402_takes_one_statement_and_gives_its_tokens_back(client: AsyncClient, trips: Trips) -> None:
    alice = await _somebody(client, monthly_image_cap=1)

    assert await _one_more(client, trips, alice) == (402, (1, 2))
