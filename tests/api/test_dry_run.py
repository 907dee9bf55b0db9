"""`dry_run=true` says what an image would cost and what is left, refuses what would be refused, and changes nothing."""

import secrets

import psycopg
import pytest
from httpx2 import AsyncClient, Response, get
from pydantic import SecretStr

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")

NOTHING_LEFT_TO_SAY = {
    "account_month": None,
    "key_cap": None,
    "free_pool": None,
    "balance_usd": None,
    "spending_cap_usd": None,
}
TABLES = (
    "generations",
    "account_months",
    "key_months",
    "free_days",
    "balances",
    "ledger",
    "idempotency_keys",
)


@pytest.fixture
def google_key() -> str:
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def settings(settings: Settings, sandbox_url: str, google_key: str) -> Settings:
    """With a Google whose calls can be counted, and ten free images a day."""
    google = {"gemini_api_key": SecretStr(google_key), "gemini_base_url": sandbox_url}
    return settings.model_copy(update={**google, "free_images_per_day": 10})


async def try_out(
    client: AsyncClient, key: dict[str, str], prompt: str = "a banana", **headers: str
) -> Response:
    return await client.post(
        "/v1/generate", params={"dry_run": "true"}, json={"prompt": prompt}, headers={**key, **headers}
    )


def rows(database_url: str) -> list[object]:
    with psycopg.connect(database_url) as connection:
        return [
            connection.execute(f"select t::text from {table} t order by 1".encode()).fetchall()
            for table in TABLES
        ]


async def test_it_changes_nothing_and_asks_google_nothing(
    client: AsyncClient,
    alice: Person,
    services: Services,
    database_url: str,
    google_key: str,
    sandbox_url: str,
) -> None:
    await put_on_plan(services, alice, images_per_hour=1)
    before = rows(database_url)

    answers = [await try_out(client, alice.by_key, **{"Idempotency-Key": "17"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[-1].headers["ratelimit"] == '"hour";r=1;t=0'
    assert rows(database_url) == before
    calls = get(f"{sandbox_url}/_sandbox/calls", params={"key": google_key}, timeout=30).json()["calls"]
    assert calls == []
    made = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    assert made.status_code == 200


async def test_it_tells_the_price_and_what_is_left_of_each_limit(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, month=0, images_per_month=3)
    key = (await client.post("/v1/keys", json={"monthly_image_cap": 2}, headers=alice.by_session)).json()[
        "key"
    ]
    by_key = {"Authorization": f"Bearer {key}"}
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=by_key)

    answer = await try_out(client, by_key)

    left = {**NOTHING_LEFT_TO_SAY, "account_month": 2, "key_cap": 1, "free_pool": 9}
    assert answer.json() == {"dry_run": True, "images": 1, "amount_usd": 0, "left": left}


async def test_it_tells_the_money_of_who_pays_by_the_image(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    await services.database.statement("update accounts set spending_cap_micro_usd = 500000", {})
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)

    answer = await try_out(client, alice.by_key)

    left = {**NOTHING_LEFT_TO_SAY, "balance_usd": 0.98, "spending_cap_usd": 0.48}
    assert answer.json() == {"dry_run": True, "images": 1, "amount_usd": 0.02, "left": left}


async def test_test_keys_pay_nothing_and_have_nothing_to_run_out_of(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)

    answer = await try_out(client, alice.by_test_key)

    assert answer.status_code == 200
    assert answer.json() == {"dry_run": True, "images": 0, "amount_usd": 0, "left": NOTHING_LEFT_TO_SAY}
    assert (await try_out(client, alice.by_test_key, "[test:quota_exceeded]")).status_code == 402


async def same_refusal(
    client: AsyncClient, key: dict[str, str], **json: object
) -> tuple[int, str, str | None]:
    """That of a dry run, which is also that of the call in earnest."""
    tried, meant = [
        await client.post("/v1/generate", params=params, json=json or {"prompt": "a banana"}, headers=key)
        for params in ({"dry_run": "true"}, {})
    ]
    assert tried.status_code == meant.status_code
    told, told_in_earnest = (
        {
            name: value
            for name, value in answer.json()["error"].items()
            if name not in {"request_id", "message"}
        }
        for answer in (tried, meant)
    )
    assert told == told_in_earnest
    assert tried.headers.get("ratelimit-policy") == meant.headers.get("ratelimit-policy")
    assert ("retry-after" in tried.headers) == ("retry-after" in meant.headers)
    return tried.status_code, told["code"], told.get("limit")


async def test_it_refuses_what_the_call_would_be_refused_for(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    key = (await client.post("/v1/keys", json={"scopes": ["read"]}, headers=alice.by_session)).json()["key"]
    no_scope, unknown = ({"Authorization": f"Bearer {text}"} for text in (key, "nb_live_x"))

    assert await same_refusal(client, alice.by_key, prompt="") == (400, "invalid_request", None)
    assert await same_refusal(client, unknown) == (401, "invalid_api_key", None)
    assert await same_refusal(client, no_scope) == (403, "scope_missing", None)
    await services.database.statement("update accounts set suspended_at = now()", {})
    assert await same_refusal(client, alice.by_key) == (403, "account_suspended", None)
    await services.database.statement("update api_keys set revoked_at = now()", {})
    assert await same_refusal(client, alice.by_key) == (401, "invalid_api_key", None)


async def test_it_refuses_when_a_limit_has_no_room(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    def full(limit: str) -> tuple[int, str, str]:
        return 402, "quota_exceeded", limit

    await put_on_plan(services, charlie, images_per_hour=1)
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=charlie.by_key)
    assert await same_refusal(client, charlie.by_key) == (429, "rate_limited", None)

    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    await services.database.statement("update free_days set images = 10", {})
    assert await same_refusal(client, alice.by_key) == full("free_pool")
    await services.database.statement("update api_keys set monthly_image_cap = 1", {})
    assert await same_refusal(client, alice.by_key) == full("key_cap")
    await put_on_plan(services, alice, images_per_month=1)
    assert await same_refusal(client, alice.by_key) == full("account_month")
    await put_on_plan(services, alice, image=AN_IMAGE)
    assert await same_refusal(client, alice.by_key) == full("balance")
    await services.billing.credit(email=alice.email, micro_usd=AN_IMAGE)
    await services.database.statement("update accounts set spending_cap_micro_usd = 1", {})
    assert await same_refusal(client, alice.by_key) == full("spending_cap")
