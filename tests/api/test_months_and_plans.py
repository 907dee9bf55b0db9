"""An image counts in the month, on the day and at the price of its admission, whatever changes before it is there."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

THIS_MONTH = datetime.now(UTC).date().replace(day=1)
LAST_DAY = THIS_MONTH - timedelta(days=1)
LAST_MONTH = LAST_DAY.replace(day=1)


async def begin(client: AsyncClient, person: Person, prompt: str = "a banana [sandbox:latency=0.7]") -> str:
    """Gives where the image will be found."""
    headers = {**person.by_key, "Prefer": "respond-async"}
    begun = await client.post("/v1/generate", json={"prompt": prompt}, headers=headers)
    assert begun.status_code == 202, begun.text
    return begun.headers["location"]


async def ended(client: AsyncClient, person: Person, location: str) -> str:
    async with asyncio.timeout(20):
        while (row := (await client.get(location, headers=person.by_session)).json())["status"] == "running":
            await asyncio.sleep(0.05)
    return row["status"]


def let_a_month_begin(database_url: str) -> None:
    """Everything admitted so far was admitted in the last second of the month before."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update generations set created_at = date_trunc('month', now() at time zone 'utc') at time zone 'utc'"
            " - interval '1 second'"
        )
        connection.execute("update ledger set day = %s where kind <> 'credit'", [LAST_DAY])
        connection.execute("update free_days set day = %s", [LAST_DAY])
        for table in ("account_months", "key_months"):
            connection.execute(f"update {table} set month = %s".encode(), [LAST_MONTH])


def sums(database_url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(statement.encode()).fetchall()


@pytest.mark.parametrize(("scenario", "images"), [("", 1), ("[sandbox:truncate]", 0)])
async def test_what_midnight_finds_in_the_making_counts_where_it_was_admitted(
    client: AsyncClient, alice: Person, services: Services, database_url: str, scenario: str, images: int
) -> None:
    await services.billing.move(email=alice.email, plan="free")
    location = await begin(client, alice, f"[sandbox:latency=0.7] {scenario}")
    let_a_month_begin(database_url)

    await ended(client, alice, location)

    months = "select month, images, held_images from account_months union all select month, images, held_images from key_months"
    assert sums(database_url, months) == [(LAST_MONTH, images, 0)] * 2
    assert sums(database_url, "select day, images, held_images from free_days") == [(LAST_DAY, images, 0)]
    assert sums(database_url, "select day, images, failed from usage_days") == [
        (LAST_DAY, images, 1 - images)
    ]
    assert await services.billing.reconcile() == []
    quota = (await client.get("/v1/usage", headers=alice.by_session)).json()["quota"]
    assert (quota["images"], quota["in_progress"]) == (0, 0)


async def test_a_new_month_has_its_whole_quota_beside_what_the_old_one_holds(
    client: AsyncClient, alice: Person, services: Services, database_url: str
) -> None:
    await put_on_plan(services, alice, images_per_month=1)
    late = await begin(client, alice)
    let_a_month_begin(database_url)

    early = await begin(client, alice)
    refused = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)

    assert refused.status_code == 402
    assert [await ended(client, alice, location) for location in (late, early)] == ["succeeded"] * 2
    months = sums(database_url, "select month, images, held_images from account_months order by month")
    assert months == [(LAST_MONTH, 1, 0), (THIS_MONTH, 1, 0)]
    assert await services.billing.reconcile() == []


async def test_a_change_of_plan_keeps_what_was_used_up_and_down(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    async def statuses(count: int) -> list[int]:
        ask = client.post
        body = {"prompt": "a banana"}
        return [
            (await ask("/v1/generate", json=body, headers=alice.by_key)).status_code for _ in range(count)
        ]

    await put_on_plan(services, alice, images_per_month=2)
    assert await statuses(3) == [200, 200, 402]
    await put_on_plan(services, alice, images_per_month=3)
    assert await statuses(2) == [200, 402]
    await put_on_plan(services, alice, images_per_month=2)
    assert await statuses(1) == [402]
    await put_on_plan(services, alice)
    assert await statuses(1) == [200]
    assert await services.billing.reconcile() == []


@pytest.mark.parametrize(
    ("scenario", "state", "balance"),
    [("", "succeeded", 980_000), ("[sandbox:truncate]", "failed", 1_000_000)],
)
async def test_an_image_is_paid_as_it_was_held_though_the_plan_is_another_by_then(
    client: AsyncClient,
    alice: Person,
    services: Services,
    database_url: str,
    scenario: str,
    state: str,
    balance: int,
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    location = await begin(client, alice, f"[sandbox:latency=0.7] {scenario}")

    await services.billing.move(email=alice.email, plan="pro")

    assert await ended(client, alice, location) == state
    assert sums(database_url, "select micro_usd, held_micro_usd from balances") == [(balance, 0)]
    assert sums(database_url, "select micro_usd, held_micro_usd from account_months") == [
        (1_000_000 - balance, 0)
    ]
    assert await services.billing.reconcile() == []
    made = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    assert made.json()["charge"]["amount_usd"] == 0


async def test_an_image_of_a_monthly_plan_takes_no_money_though_the_plan_is_payg_by_then(
    client: AsyncClient, alice: Person, services: Services, database_url: str
) -> None:
    location = await begin(client, alice)

    await put_on_plan(services, alice, image=AN_IMAGE)

    assert await ended(client, alice, location) == "succeeded"
    assert sums(database_url, "select micro_usd, held_micro_usd from account_months") == [(0, 0)]
    refused = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    assert refused.json()["error"]["limit"] == "balance"
