"""What everybody may know of how the service stands."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from httpx2 import AsyncClient, post
from pydantic import SecretStr

from nanobanana.app import create_app
from nanobanana.services import Services, open_services
from nanobanana.settings import Settings
from tests.conftest import in_memory
from tests.people import Person

pytestmark = pytest.mark.usefixtures("patience_with_redis")

SECRETS_OF_OURS = ("primary", "standby", "test-", "gemini", "quota", "key_", "sandbox")


@pytest.fixture
def keys() -> list[str]:
    """Of Google: the primary one and the standby."""
    return [f"test-{secrets.token_hex(8)}" for _ in range(2)]


@pytest.fixture
def settings(settings: Settings, sandbox_url: str, keys: list[str]) -> Settings:
    primary, standby = keys
    return settings.model_copy(
        update={
            "gemini_api_key": SecretStr(primary),
            "gemini_standby_api_key": SecretStr(standby),
            "gemini_base_url": sandbox_url,
            "gemini_models": ("gemini-nano-banana-2.1",),
        }
    )


@pytest.fixture
async def other(settings: Settings, services: Services) -> AsyncIterator[AsyncClient]:
    """Another process of the same service."""
    app = create_app(settings)
    async with app.router.lifespan_context(app), in_memory(app) as client:
        yield client


def will(settings: Settings, key: str, *scenarios: str) -> None:
    url = f"{settings.sandbox_url}/_sandbox/script"
    post(url, json={"scenarios": scenarios}, headers={"x-goog-api-key": key}).raise_for_status()


async def order(client: AsyncClient, person: Person, **headers: str) -> int:
    body = {"prompt": "a banana"}
    return (await client.post("/v1/generate", json=body, headers={**person.by_key, **headers})).status_code


async def status_of(client: AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/status")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=2"
    for secret in SECRETS_OF_OURS:
        assert secret not in answer.text
    return answer.json()


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {component["name"]: component["status"] for component in status["components"]}


async def until(client: AsyncClient, condition: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (status := await status_of(client))["status"] != condition:
            await asyncio.sleep(0.05)
    return status


async def page_of(client: AsyncClient) -> str:
    answer = await client.get("/status")
    assert answer.status_code == 200
    for secret in SECRETS_OF_OURS:
        assert secret not in answer.text
    return answer.text


async def test_all_is_well(client: AsyncClient, alice: Person, services: Services) -> None:
    await order(client, alice)
    await services.status.look()

    status = await status_of(client)

    assert status["status"] == "operational"
    assert conditions(status) == dict.fromkeys(("images", "api", "database"), "operational")
    assert [component["since"] for component in status["components"]] == [None] * 3
    assert (status["waiting"], status["next_try_at"]) == (0, None)
    assert "NanoBanana works</h1>" in await page_of(client)


async def test_a_route_that_is_shut_while_another_serves_is_a_degraded_service_in_all_processes(
    client: AsyncClient, other: AsyncClient, alice: Person, settings: Settings, keys: list[str]
) -> None:
    will(settings, keys[0], "account_limited")

    assert await order(client, alice) == 200

    status = await until(client, "degraded")
    assert conditions(status) == {"images": "degraded", "api": "operational", "database": "operational"}
    since, next_try = status["components"][0]["since"], status["next_try_at"]
    assert (
        86_390 <= (datetime.fromisoformat(next_try) - datetime.fromisoformat(since)).total_seconds() <= 86_410
    )
    elsewhere = await until(other, "degraded")
    assert (elsewhere["components"][0]["since"], elsewhere["next_try_at"]) == (since, next_try)
    page = await page_of(client)
    assert "NanoBanana works, with limits</h1>" in page
    assert '<span class="badge degraded">degraded</span>' in page


async def test_while_no_route_serves_the_service_is_down_and_says_how_many_wait(
    client: AsyncClient, alice: Person, settings: Settings, services: Services, keys: list[str]
) -> None:
    for key in keys:
        will(settings, key, "quota_minute=55")

    assert [await order(client, alice, Prefer="wait=1") for _ in range(3)] == [202] * 3
    await services.status.look()

    status = await status_of(client)
    assert (status["status"], conditions(status)["images"], status["waiting"]) == ("down", "down", 3)
    assert status["next_try_at"] > status["components"][0]["since"]
    page = await page_of(client)
    assert "NanoBanana is down</h1>" in page
    assert "3 images wait" in page

    for route in ("primary", "standby"):
        await services.routes.reopen(route)
    assert (await until(client, "operational"))["components"][0]["since"] >= status["components"][0]["since"]


async def test_without_a_database_it_goes_on_and_says_so(client: AsyncClient, services: Services) -> None:
    await services.database.close()
    await services.status.look()

    status = await status_of(client)
    assert (status["status"], status["waiting"]) == ("down", None)
    assert set(conditions(status).values()) == {"down"}
    assert len({component["since"] for component in status["components"]}) == 1
    assert "NanoBanana is down</h1>" in await page_of(client)


async def test_a_crowd_asks_the_database_nothing(settings: Settings) -> None:
    # Without the timetable, which looks every two seconds however many ask.
    async with open_services(settings) as services:
        app = create_app(settings)
        app.state.services = services
        await services.status.look()
        looks = services.database._pool.get_stats()["requests_num"]
        async with in_memory(app) as client:
            answers = await asyncio.gather(*(client.get(path) for path in ("/v1/status", "/status") * 50))

        assert {answer.status_code for answer in answers} == {200}
        assert answers[0].json()["waiting"] == 0
        assert services.database._pool.get_stats()["requests_num"] == looks


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"redis_url": SecretStr("unix:///nonexistent/valkey.sock")})

    async def test_the_service_is_degraded(self, client: AsyncClient) -> None:
        status = await until(client, "degraded")

        assert conditions(status) == {"images": "operational", "api": "degraded", "database": "operational"}
        assert status["components"][1]["since"] is not None
