"""With something missing that should be there."""

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person

PROMPT = {"prompt": "a banana nobody should read about in a log"}


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        nowhere = Settings(redis_url="unix:///nonexistent/valkey.sock")
        return settings.model_copy(update={"redis_url": nowhere.redis_url})

    async def test_the_service_starts_serves_and_says_so(self, client: AsyncClient, alice: Person) -> None:
        ready = await client.get("/readyz")
        made = await client.post("/v1/generate", json=PROMPT, headers=alice.by_key)

        assert (ready.status_code, ready.json()["redis"]) == (200, False)
        assert made.status_code == 200


class TestWithoutGoogle:
    @pytest.fixture
    def settings(self, settings: Settings, unused_tcp_port: int) -> Settings:
        nowhere = Settings(gemini_api_key="test", gemini_base_url=f"http://127.0.0.1:{unused_tcp_port}")
        return settings.model_copy(
            update={"gemini_api_key": nowhere.gemini_api_key, "gemini_base_url": nowhere.gemini_base_url}
        )

    async def test_the_order_waits_and_its_caller_is_told_where_to_ask(
        self, client: AsyncClient, alice: Person
    ) -> None:
        headers = {**alice.by_key, "Prefer": "wait=1"}

        response = await client.post("/v1/generate", json=PROMPT, headers=headers)

        assert response.status_code == 202
        assert response.headers["location"] == f"/v1/generations/{response.json()['id']}"
        assert response.headers["retry-after"]


async def test_without_a_database_the_answer_is_a_clear_503(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await services.database.close()

    made = await client.post("/v1/generate", json=PROMPT, headers=alice.by_key)
    ready = await client.get("/readyz")
    alive = await client.get("/healthz")

    assert (made.status_code, made.json()["error"]["code"]) == (503, "overloaded")
    assert (ready.status_code, ready.json()["database"]) == (503, False)
    assert alive.status_code == 200
