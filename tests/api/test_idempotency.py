"""The same Idempotency-Key again, after the first has ended: replayed, refused, or free for another try."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import pytest
from httpx2 import AsyncClient, Response, get, post

from nanobanana.kit.ids import first_id
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person

PROMPT = "a banana"


@pytest.fixture
def google_key() -> str:
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def settings(settings: Settings, sandbox_url: str, google_key: str) -> Settings:
    google = Settings(gemini_api_key=google_key, gemini_base_url=sandbox_url)
    return settings.model_copy(
        update={"gemini_api_key": google.gemini_api_key, "gemini_base_url": google.gemini_base_url}
    )


class Google:
    """What the sandbox is told to do, and was asked for."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/_sandbox"
        self._headers = {"x-goog-api-key": key}

    def will(self, *scenarios: str) -> None:
        post(f"{self._url}/script", json={"scenarios": scenarios}, headers=self._headers).raise_for_status()

    @property
    def calls(self) -> int:
        return len(get(f"{self._url}/calls", headers=self._headers).json()["calls"])


@pytest.fixture
def google(sandbox_url: str, google_key: str) -> Google:
    return Google(sandbox_url, google_key)


@pytest.fixture(autouse=True)
def exact_counts(patience_with_redis: None) -> None:
    pass


async def _ask(
    client: AsyncClient, by: dict[str, str], prompt: str = "a banana", *, key: str = "one", **headers: str
) -> Response:
    headers = {**by, "Idempotency-Key": key, **headers}
    return await client.post("/v1/generate", json={"prompt": prompt}, headers=headers)


async def _sql(services: Services, statement: LiteralString) -> list[dict[str, object]]:
    return await services.database.statement(statement, {})


async def _books(services: Services) -> tuple[object, object]:
    """What is held, and what was ever booked. All records agree."""
    assert await services.billing.reconcile() == []
    (row,) = await _sql(
        services,
        """select (select coalesce(sum(held_images), 0)::int from account_months) as held,
                  (select count(*) from ledger) as booked""",
    )
    return row["held"], row["booked"]


async def test_the_same_request_again_gives_the_same_image_and_a_link_that_works(
    client: AsyncClient, alice: Person, google: Google
) -> None:
    first = await _ask(client, alice.by_key)

    again = await _ask(client, alice.by_key)

    assert (first.status_code, again.status_code, google.calls) == (200, 200, 1)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await client.get(again.json()["url"])).status_code == 200


async def test_another_spelling_of_the_same_wish_is_the_same_request(
    client: AsyncClient, alice: Person, google: Google
) -> None:
    first = await _ask(client, alice.by_key)
    body = {"size": "1024x1024", "style": "natural", "prompt": "  a banana ", "format": None}
    headers = {**alice.by_key, "Idempotency-Key": "one"}

    again = await client.post("/v1/generate", json=body, headers=headers)

    assert (again.json()["id"], google.calls) == (first.json()["id"], 1)


async def test_another_body_is_refused_and_holds_nothing(
    client: AsyncClient, alice: Person, services: Services, google: Google
) -> None:
    await _ask(client, alice.by_key)
    before = await _books(services)

    refused = await _ask(client, alice.by_key, "an apple")

    assert refused.status_code == 422
    error = refused.json()["error"]
    assert (error["code"], error["charged"], error["retryable"]) == ("idempotency_key_reused", False, False)
    assert await _books(services) == before
    assert google.calls == 1


async def test_a_refusal_by_policy_is_replayed(client: AsyncClient, alice: Person, google: Google) -> None:
    google.will("image_safety")
    first = await _ask(client, alice.by_key)

    again = await _ask(client, alice.by_key)

    assert (first.status_code, again.status_code, google.calls) == (422, 422, 1)
    assert again.json()["error"]["code"] == "content_policy"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("failure", ["truncate", "no_image", "broken_image", "reset"])
async def test_a_failure_that_may_pass_frees_the_key(
    client: AsyncClient, alice: Person, services: Services, google: Google, failure: str
) -> None:
    google.will(failure, failure)
    failed = await _ask(client, alice.by_key)

    made = await _ask(client, alice.by_key, "another banana")

    assert (failed.status_code, made.status_code, google.calls) == (503, 200, 3)
    assert "Idempotent-Replayed" not in made.headers
    assert failed.headers["Location"] != f"/v1/generations/{made.json()['id']}"
    assert (await _books(services))[0] == 0


async def test_a_failure_of_a_test_key_frees_the_key_too(client: AsyncClient, alice: Person) -> None:
    failed = await _ask(client, alice.by_test_key, "a banana [test:upstream_unavailable]")

    made = await _ask(client, alice.by_test_key)

    assert (failed.status_code, made.status_code) == (503, 200)
    assert "Idempotent-Replayed" not in made.headers


@pytest.mark.parametrize("mode", ["test", "of another account"])
async def test_a_key_is_the_account_s_and_the_mode_s_own(
    client: AsyncClient, alice: Person, charlie: Person, mode: str
) -> None:
    first = await _ask(client, alice.by_key)

    other = await _ask(client, alice.by_test_key if mode == "test" else charlie.by_key, "an apple")

    assert (first.status_code, other.status_code) == (200, 200)
    assert other.json()["id"] != first.json()["id"]
    assert "Idempotent-Replayed" not in other.headers


@pytest.mark.parametrize("key", ['"one"', "one"])
async def test_a_key_in_quotes_is_the_same_key(client: AsyncClient, alice: Person, key: str) -> None:
    first = await _ask(client, alice.by_key, key="one")

    again = await _ask(client, alice.by_key, key=key)

    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    ("key", "status"),
    [("k" * 255, 200), ("k" * 256, 400), ("two words", 400), ("", 400), ('""', 400), ("tab\there", 400)],
)
async def test_a_key_is_1_to_255_visible_characters(
    client: AsyncClient, alice: Person, services: Services, key: str, status: int
) -> None:
    answer = await _ask(client, alice.by_test_key, key=key)

    assert answer.status_code == status
    assert len(await _sql(services, "select 1 from idempotency_keys")) == int(status == 200)


async def _use_up_the_month(services: Services) -> None:
    await _sql(services, "update plans set images_per_month = 1")


async def _use_up_the_hour(services: Services) -> None:
    await _sql(services, "update plans set images_per_hour = 1")
    services.api_keys._recent.clear()


@pytest.mark.parametrize(("use_up", "status"), [(_use_up_the_month, 402), (_use_up_the_hour, 429)])
async def test_what_the_limits_refuse_is_not_stored_and_what_was_made_is_replayed_beyond_them(
    client: AsyncClient,
    alice: Person,
    services: Services,
    use_up: Callable[[Services], Awaitable[None]],
    status: int,
) -> None:
    made = await _ask(client, alice.by_key)
    await use_up(services)
    before = await _books(services)

    refused = await _ask(client, alice.by_key, key="two")
    replayed = await _ask(client, alice.by_key)

    assert refused.status_code == status
    assert (replayed.status_code, replayed.json()) == (200, made.json())
    assert await _sql(services, "select key from idempotency_keys") == [{"key": "one"}]
    assert await _books(services) == before


async def test_after_24_hours_the_key_is_new(client: AsyncClient, alice: Person, services: Services) -> None:
    first = await _ask(client, alice.by_key)
    await _sql(services, "update idempotency_keys set created_at = now() - interval '23:59:50'")
    on_the_day = await _ask(client, alice.by_key)
    await _sql(services, "update idempotency_keys set created_at = now() - interval '24:00:01'")

    new = await _ask(client, alice.by_key, "an apple")
    again = await _ask(client, alice.by_key, "an apple")

    assert on_the_day.json()["id"] == first.json()["id"]
    assert new.status_code == 200
    assert new.json()["id"] != first.json()["id"]
    assert again.json()["id"] == new.json()["id"]


async def test_keys_older_than_24_hours_are_discarded_and_younger_ones_stay(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nanobanana.domain.generation.service._DISCARDED_AT_ONCE", 2)
    made = [(await _ask(client, alice.by_test_key, key=key)).json()["id"] for key in ("old", "young")]
    await _sql(
        services,
        """insert into idempotency_keys (account_id, mode, key, fingerprint, generation_id, created_at)
           select account_id, mode, 'old ' || n, fingerprint, generation_id, created_at
           from idempotency_keys, generate_series(1, 4) n where key = 'old'""",
    )
    age = {"id": made[0], "older_id": first_id("gen", datetime.now(UTC) - timedelta(hours=24, seconds=1))}
    await services.database.statement(
        """update idempotency_keys set generation_id = %(older_id)s, created_at = now() - interval '24:00:01'
           where generation_id = %(id)s""",
        age,
    )

    await services.generations.discard_old_idempotency_keys()

    assert await _sql(services, "select key from idempotency_keys") == [{"key": "young"}]


async def test_a_picture_that_is_gone_is_said_to_be(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    first = await _ask(client, alice.by_key)
    await _sql(services, "update generations set image_state = 'deleted'")

    again = await _ask(client, alice.by_key)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (again.json()["url"], again.json()["image_state"]) == (None, "deleted")


async def _in_flight(services: Services, person: Person) -> int:
    bearer = await services.api_keys.resolve(person.key)
    verdict = await services.generations._speed_limits.look(bearer)
    return next(w.limit.tokens - w.remaining for w in verdict.windows if w.limit.name == "in_flight")


async def _in_hour(services: Services, person: Person) -> int:
    bearer = await services.api_keys.resolve(person.key)
    verdict = await services.generations._speed_limits.look(bearer)
    return next(w.limit.tokens - w.remaining for w in verdict.windows if w.limit.name == "hour")


async def test_a_refused_repeat_gives_back_nothing_of_what_the_running_one_took(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    """Or a second body, or a key that may not generate, would let everybody past the hour."""
    await _sql(services, "update plans set images_in_flight = 5")
    reader = await client.post("/v1/keys", json={"scopes": ["read"]}, headers=alice.by_session)
    by_reader = {"Authorization": f"Bearer {reader.json()['key']}"}
    running = asyncio.create_task(_ask(client, alice.by_key, "a banana [sandbox:latency=1]"))
    await asyncio.sleep(0.3)

    reused = await _ask(client, alice.by_key, "an apple")
    forbidden = await _ask(client, by_reader, "a banana [sandbox:latency=1]")

    assert (reused.status_code, forbidden.status_code) == (422, 403)
    assert await _in_flight(services, alice) == 1
    assert await _in_hour(services, alice) == 1
    assert (await running).status_code == 200
    assert await _in_flight(services, alice) == 0
    assert await _in_hour(services, alice) == 1


async def test_a_refused_request_of_its_own_costs_nothing_of_the_hour(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await _use_up_the_month(services)
    await _sql(services, "update plans set images_per_month = 0, images_in_flight = 5")

    refused = await _ask(client, alice.by_key)

    assert refused.status_code == 402
    assert await _in_flight(services, alice) == 0
    assert await _in_hour(services, alice) == 0


async def test_of_two_at_once_for_the_last_image_the_refused_one_leaves_no_trace(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await _use_up_the_month(services)

    answers = await asyncio.gather(*(_ask(client, alice.by_key, key=str(n)) for n in range(2)))

    assert {answer.status_code for answer in answers} == {200, 402}
    assert len(await _sql(services, "select 1 from idempotency_keys")) == 1
    assert await _books(services) == (0, 2)
    assert await _sql(services, "select images, held_images from key_months") == [
        {"images": 1, "held_images": 0}
    ]
