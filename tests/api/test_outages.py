"""What callers notice of Google's failures, and what they do not."""

import asyncio
import secrets

import pytest
from httpx2 import AsyncClient, Response, get, post
from pydantic import SecretStr

from nanobanana.app import create_app
from nanobanana.domain.generation import rules
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.integrations.google.errors import BadRequestError, NoImageError, TimedOutError
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person


@pytest.fixture
def keys() -> dict[str, str]:
    return {name: f"test-{name}-{secrets.token_hex(8)}" for name in ("primary", "standby")}


@pytest.fixture
def settings(settings: Settings, sandbox_url: str, keys: dict[str, str]) -> Settings:
    return settings.model_copy(
        update={
            "gemini_api_key": SecretStr(keys["primary"]),
            "gemini_standby_api_key": SecretStr(keys["standby"]),
            "gemini_base_url": sandbox_url,
            "gemini_models": ("gemini-nano-banana-2.1",),
        }
    )


def _will(settings: Settings, key: str, *scenarios: str) -> None:
    headers = {"x-goog-api-key": key}
    url = f"{settings.sandbox_url}/_sandbox/script"
    post(url, json={"scenarios": scenarios}, headers=headers).raise_for_status()


def _calls(settings: Settings, key: str) -> int:
    return len(get(f"{settings.sandbox_url}/_sandbox/calls", params={"key": key}).json()["calls"])


async def _ask(client: AsyncClient, by: dict[str, str], prompt: str = "a banana", **headers: str) -> Response:
    return await client.post("/v1/generate", json={"prompt": prompt}, headers={**by, **headers})


async def test_a_suspended_account_is_nothing_that_a_caller_notices(
    client: AsyncClient, alice: Person, settings: Settings, keys: dict[str, str]
) -> None:
    _will(settings, keys["primary"], "ok", "account_limited")

    answers = [await _ask(client, alice.by_key) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert (_calls(settings, keys["primary"]), _calls(settings, keys["standby"])) == (2, 3)


async def test_while_no_route_serves_orders_wait_and_nobody_is_asked(
    client: AsyncClient, alice: Person, settings: Settings, keys: dict[str, str]
) -> None:
    for key in keys.values():
        _will(settings, key, "quota_minute=42")

    answers = [await _ask(client, alice.by_key, Prefer="wait=1") for _ in range(2)]

    for place, answer in enumerate(answers, start=1):
        waiting = answer.json()
        assert (answer.status_code, waiting["status"], waiting["charge"]["state"]) == (202, "queued", "held")
        assert waiting["queue_position"] == place
        assert int(answer.headers["retry-after"]) >= 1
    assert (_calls(settings, keys["primary"]), _calls(settings, keys["standby"])) == (1, 1)


async def test_what_google_does_not_accept_is_not_worth_another_try_and_replays(
    client: AsyncClient, alice: Person, settings: Settings, keys: dict[str, str]
) -> None:
    _will(settings, keys["primary"], "ratio_not_enabled")

    answers = [await _ask(client, alice.by_key, **{"Idempotency-Key": "one"}) for _ in range(2)]

    for answer in answers:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "invalid_request")
        assert (error["retryable"], error["charged"]) == (False, False)
    assert answers[1].headers["idempotent-replayed"] == "true"
    shown = (await client.get(answers[0].headers["location"], headers=alice.by_key)).json()
    assert (shown["status"], shown["error"]["retryable"]) == ("failed", False)
    assert _calls(settings, keys["primary"]) == 1


@pytest.mark.parametrize(
    ("script", "state", "lost"),
    [
        (("reset", "ok"), "succeeded", 1),
        (("reset", "reset"), "failed", 2),
        (("no_image", "no_image"), "failed", 2),
        (("reset", "broken_image"), "failed", 2),
        (("no_image", "image_safety"), "blocked", 2),
        (("overloaded", "ok"), "succeeded", 0),
    ],
)
async def test_each_time_google_may_have_charged_for_nothing_is_written_down(
    client: AsyncClient,
    alice: Person,
    services: Services,
    settings: Settings,
    keys: dict[str, str],
    script: tuple[str, str],
    state: str,
    lost: int,
) -> None:
    for key, scenario in zip(keys.values(), script, strict=True):
        _will(settings, key, scenario)

    await _ask(client, alice.by_key)

    (row,) = await services.database.statement("select state, lost_attempts from generations", {})
    assert (row["state"], row["lost_attempts"]) == (state, lost)


async def test_a_picture_that_cannot_be_used_adds_to_what_was_lost_before(
    client: AsyncClient, alice: Person, services: Services, settings: Settings, keys: dict[str, str]
) -> None:
    _will(settings, keys["primary"], "reset")
    _will(settings, keys["standby"], "truncated_image")

    await _ask(client, alice.by_key)

    (row,) = await services.database.statement("select state, lost_attempts from generations", {})
    assert (row["state"], row["lost_attempts"]) == ("failed", 2)


async def test_what_was_lost_before_a_process_ended_is_known_to_who_goes_on_and_not_paid_for_a_third_time(
    client: AsyncClient, alice: Person, services: Services, settings: Settings, keys: dict[str, str]
) -> None:
    _will(settings, keys["primary"], "truncate")
    _will(settings, keys["standby"], "hang")
    await _ask(client, alice.by_key, Prefer="wait=0")
    async with asyncio.timeout(10):
        while not _calls(settings, keys["standby"]):
            await asyncio.sleep(0.02)

    await services.runner.drain(grace_s=0)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        other: Services = app.state.services
        async with asyncio.timeout(20):
            while not await services.database.statement(
                "select 1 from generations where finished_at is not null", {}
            ):
                await other.runner.work_off_queue()

    (row,) = await services.database.statement("select state, attempt, lost_attempts from generations", {})
    assert (row["state"], row["attempt"], row["lost_attempts"]) == ("failed", 2, 2)
    assert (_calls(settings, keys["primary"]), _calls(settings, keys["standby"])) == (1, 1)


async def test_failures_on_demand_of_test_keys_shut_no_route(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    for scenario in ["overloaded"] * 6 + ["api_key_leaked", "quota_day"]:
        await _ask(client, alice.by_test_key, f"a banana [sandbox:{scenario}]")

    assert (await _ask(client, alice.by_test_key)).status_code == 200
    assert (await _ask(client, alice.by_key)).status_code == 200
    assert {health.state for health in services.routes.health()} == {"operational"}


def test_only_what_may_pass_is_called_retryable() -> None:
    def told(cause: Exception) -> tuple[bool, float | None]:
        outcome = rules.explain(NotServedError(cause, lost_attempts=2, retry_after_s=7))
        return outcome.retryable, outcome.retry_after_s

    assert told(BadRequestError("x")) == (False, None)
    assert told(NoImageError("x")) == (True, None)
    assert told(TimedOutError("x")) == (True, 7)
    assert rules.explain(NoRouteError(retry_after_s=9)).retry_after_s == 9
