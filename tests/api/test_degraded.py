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
        return settings.model_copy(update={"sandbox_url": f"http://127.0.0.1:{unused_tcp_port}"})

    async def test_the_caller_is_told_when_to_come_back(self, client: AsyncClient, alice: Person) -> None:
        # five failures of each model, then nobody is asked
        answers = [await client.post("/v1/generate", json=PROMPT, headers=alice.by_key) for _ in range(4)]

        for answer in answers:
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (503, "upstream_unavailable")
            assert (error["retryable"], error["charged"]) == (True, False)
        assert 3 <= int(answers[3].headers["retry-after"]) <= 5


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
