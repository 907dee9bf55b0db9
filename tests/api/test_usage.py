"""`GET /v1/usage`: what each key used on each day, and what is left, for who may see it."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.web.api.schemas.usage import UsageReport
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

TODAY = datetime.now(UTC).date()


async def ask(client: AsyncClient, key: dict[str, str], prompt: str = "a banana", **headers: str) -> Response:
    return await client.post("/v1/generate", json={"prompt": prompt}, headers={**key, **headers})


async def usage(client: AsyncClient, by: dict[str, str], **params: str) -> dict[str, object]:
    answer = await client.get("/v1/usage", params=params, headers=by)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def new_key(client: AsyncClient, person: Person, **settings: object) -> tuple[str, dict[str, str]]:
    created = (await client.post("/v1/keys", json=settings, headers=person.by_session)).json()
    return created["id"], {"Authorization": f"Bearer {created['key']}"}


async def live_key_id(client: AsyncClient, person: Person) -> str:
    keys = (await client.get("/v1/keys", headers=person.by_session)).json()["data"]
    return next(key["id"] for key in keys if key["mode"] == "live")


async def test_each_keys_days_add_up_and_test_images_count_for_nothing(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    first = await live_key_id(client, alice)
    second, by_second = await new_key(client, alice, name="second")
    for prompt in ("a banana", "a banana", "[sandbox:image_safety]"):
        await ask(client, alice.by_key, prompt)
    for prompt in ("a banana", "[sandbox:truncate]"):
        await ask(client, by_second, prompt)
    await ask(client, alice.by_test_key)

    report = await usage(client, alice.by_session)

    day = {"day": str(TODAY), "images": 1, "amount_usd": 0.02, "failed": 0, "blocked": 0}
    assert sorted(report["data"], key=lambda row: row["api_key_id"]) == [
        {**day, "api_key_id": first, "images": 2, "amount_usd": 0.04, "blocked": 1},
        {**day, "api_key_id": second, "failed": 1},
    ]
    assert report["totals"] == {"images": 3, "amount_usd": 0.06, "failed": 1, "blocked": 1}
    assert (report["from"], report["to"]) == (str(TODAY.replace(day=1)), str(TODAY))


async def test_a_revoked_keys_days_stay(client: AsyncClient, alice: Person) -> None:
    id, by_key = await new_key(client, alice)
    await ask(client, by_key)
    await client.delete(f"/v1/keys/{id}", headers=alice.by_session)

    report = await usage(client, alice.by_session)

    assert [(row["api_key_id"], row["images"]) for row in report["data"]] == [(id, 1)]
    assert id not in {key["api_key_id"] for key in report["keys"]}


async def test_a_monthly_plan_tells_its_quota_and_the_keys_their_caps(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    plan = await put_on_plan(services, alice, images_per_month=5)
    first = await live_key_id(client, alice)
    capped, by_capped = await new_key(client, alice, name="capped", monthly_image_cap=2)
    await ask(client, alice.by_key)
    begun = await ask(client, by_capped, "a banana [sandbox:latency=0.5]", Prefer="respond-async")
    report = await usage(client, alice.by_session)
    await _until_ended(client, alice, begun.headers["location"])
    after = await usage(client, alice.by_session)

    next_month = (TODAY.replace(day=1) + timedelta(days=32)).replace(day=1)
    quota = {"limit": 5, "left": 3, "resets_at": f"{next_month}T00:00:00Z"}
    assert report["plan"] == plan
    assert report["quota"] == {**quota, "images": 1, "in_progress": 1}
    assert after["quota"] == {**quota, "images": 2, "in_progress": 0}
    assert report["money"] is None
    assert report["keys"] == [
        {"api_key_id": capped, "name": "capped", "images": 1, "cap": 2, "left": 1},
        {"api_key_id": first, "name": "First key", "images": 1, "cap": None, "left": None},
    ]


async def _until_ended(client: AsyncClient, person: Person, location: str) -> None:
    async with asyncio.timeout(20):
        while (await client.get(location, headers=person.by_session)).json()["status"] == "running":
            await asyncio.sleep(0.05)


async def test_a_smaller_plan_than_what_is_used_leaves_nothing(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await ask(client, alice.by_key)
    await ask(client, alice.by_key)
    await put_on_plan(services, alice, images_per_month=1)

    quota = (await usage(client, alice.by_session))["quota"]

    assert (quota["images"], quota["limit"], quota["left"]) == (2, 1, 0)


async def test_who_pays_by_the_image_sees_balance_cap_and_what_both_allow(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)
    money = {
        "balance_usd": 0,
        "held_usd": 0,
        "spent_this_month_usd": 0,
        "spending_cap_usd": None,
        "left_usd": 0,
    }
    assert (await usage(client, alice.by_session))["money"] == money

    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    await ask(client, alice.by_key)
    begun = await ask(client, alice.by_key, "a banana [sandbox:latency=0.5]", Prefer="respond-async")
    money |= {"balance_usd": 0.98, "held_usd": 0.02, "spent_this_month_usd": 0.02, "left_usd": 0.96}
    assert (await usage(client, alice.by_session))["money"] == money
    await services.database.statement("update accounts set spending_cap_micro_usd = 50000", {})
    money |= {"spending_cap_usd": 0.05, "left_usd": 0.01}
    report = await usage(client, alice.by_session)
    assert report["money"] == money
    assert (report["quota"]["limit"], report["quota"]["left"]) == (None, None)
    await _until_ended(client, alice, begun.headers["location"])


async def test_the_days_asked_for_are_those_given_both_ends_included(
    client: AsyncClient, alice: Person, database_url: str
) -> None:
    id = await live_key_id(client, alice)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            """
            insert into usage_days (account_id, day, api_key_id, images)
            select a.id, d::date, %s, 1 from accounts a, generate_series(date '2025-12-30', '2026-01-03', '1 day') d
            """,
            [id],
        )

    days = (await usage(client, alice.by_session, **{"from": "2025-12-31", "to": "2026-01-02"}))["data"]
    month = await usage(client, alice.by_session, to="2026-01-02")

    assert [row["day"] for row in days] == ["2026-01-02", "2026-01-01", "2025-12-31"]
    assert (month["from"], month["totals"]["images"]) == ("2026-01-01", 2)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"from": "2025-01-01", "to": "2026-01-02"}, "from"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "1700006400"}, "from"),
        ({"from": "2026-1-1"}, "from"),
        ({"from": "2026-01-01T00:00:00Z"}, "from"),
        ({"to": ""}, "to"),
        ({"to": "0"}, "to"),
        ({"to": "9999-12-31"}, "from"),
        ({"from": "0001-01-01"}, "from"),
    ],
)
async def test_wrong_days_are_400_and_named(
    client: AsyncClient, alice: Person, params: dict[str, str], param: str
) -> None:
    answer = await client.get("/v1/usage", params=params, headers=alice.by_session)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", param)


@pytest.mark.parametrize("params", [{"from": "2025-01-01", "to": "2026-01-01"}, {"to": "0001-01-01"}])
async def test_366_days_are_given_and_a_single_one(
    client: AsyncClient, alice: Person, params: dict[str, str]
) -> None:
    assert (await usage(client, alice.by_session, **params))["data"] == []


async def test_a_key_sees_what_a_session_sees_if_it_has_the_scope(client: AsyncClient, alice: Person) -> None:
    await ask(client, alice.by_key)
    _, by_reader = await new_key(client, alice, scopes=["generate", "read"])
    _, by_accountant = await new_key(client, alice, scopes=["usage"])

    refused = await client.get("/v1/usage", headers=by_reader)

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_missing")
    assert await usage(client, by_accountant) == await usage(client, alice.by_session)
    assert (await client.get("/v1/usage")).status_code == 401


async def test_nobody_sees_another_accounts_usage(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    await ask(client, alice.by_key)

    reports = [await usage(client, by) for by in (charlie.by_key, charlie.by_session)]

    for report in reports:
        assert (report["data"], report["totals"]["images"], report["quota"]["images"]) == ([], 0, 0)
        assert [key["api_key_id"] for key in report["keys"]] == [await live_key_id(client, charlie)]


async def test_the_document_has_the_operation_with_an_example_of_its_own_shape(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    operation = document["paths"]["/v1/usage"]["get"]
    assert operation["operationId"] == "getUsage"
    assert [(p["name"], p["schema"]["anyOf"][0]["format"]) for p in operation["parameters"]] == [
        ("from", "date"),
        ("to", "date"),
    ]
    schema = document["components"]["schemas"]["UsageReport"]
    (example,) = schema["examples"]
    assert UsageReport.model_validate(example).model_dump(mode="json", by_alias=True) == example
