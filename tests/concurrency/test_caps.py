"""A cap is a cap: 200 at once on three processes against seven images left, whichever limit says so, Redis or not."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator

import psycopg
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.billing.service import Billing
from tests.concurrency.cluster import FREE_A_DAY, Cluster, billing_of
from tests.people import Person, sign_up

LEFT, AT_ONCE = FREE_A_DAY, 200
PROMPT = {"prompt": "a banana [sandbox:latency=0.5]"}


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=cluster.url, timeout=60) as client:
        yield client


@pytest.fixture
async def billing(cluster: Cluster) -> AsyncIterator[Billing]:
    async with billing_of(cluster) as billing:
        yield billing


async def _somebody(client: AsyncClient, billing: Billing, *, plan: str) -> Person:
    person = await sign_up(client, f"{secrets.token_hex(4)}@example.com")
    await billing.move(email=person.email, plan=plan)
    return person


async def _ask_all_at_once(client: AsyncClient, person: Person) -> list[Response]:
    ask = client.post
    return await asyncio.gather(
        *(ask("/v1/generate", json=PROMPT, headers=person.by_key) for _ in range(AT_ONCE))
    )


async def _seven_and_no_more(
    cluster: Cluster, client: AsyncClient, billing: Billing, person: Person, *, limit: str
) -> None:
    before = cluster.google_calls()

    answers = await _ask_all_at_once(client, person)

    assert Counter(answer.status_code for answer in answers) == {200: LEFT, 402: AT_ONCE - LEFT}
    refused = [answer.json()["error"] for answer in answers if answer.status_code == 402]
    assert {(error["code"], error["limit"], error["charged"]) for error in refused} == {
        ("quota_exceeded", limit, False)
    }
    assert cluster.google_calls() - before == LEFT
    assert await billing.reconcile() == []
    with psycopg.connect(cluster.database_url) as connection:
        held = connection.execute("select sum(held_images), sum(held_micro_usd) from account_months")
        assert held.fetchone() == (0, 0)


async def test_the_month_of_the_account(cluster: Cluster, client: AsyncClient, billing: Billing) -> None:
    person = await _somebody(client, billing, plan="seven")

    await _seven_and_no_more(cluster, client, billing, person, limit="account_month")


async def test_the_cap_of_the_key(cluster: Cluster, client: AsyncClient, billing: Billing) -> None:
    person = await _somebody(client, billing, plan="pro")
    keys = (await client.get("/v1/keys", headers=person.by_session)).json()["data"]
    id = next(key["id"] for key in keys if key["mode"] == "live")
    await client.patch(f"/v1/keys/{id}", json={"monthly_image_cap": LEFT}, headers=person.by_session)

    await _seven_and_no_more(cluster, client, billing, person, limit="key_cap")


async def test_the_free_images_of_the_day(cluster: Cluster, client: AsyncClient, billing: Billing) -> None:
    person = await _somebody(client, billing, plan="free")

    await _seven_and_no_more(cluster, client, billing, person, limit="free_pool")


async def test_the_balance(cluster: Cluster, client: AsyncClient, billing: Billing) -> None:
    person = await _somebody(client, billing, plan="payg")
    await billing.credit(email=person.email, micro_usd=140_000)

    await _seven_and_no_more(cluster, client, billing, person, limit="balance")

    assert await billing.credit(email=person.email, micro_usd=1) == 1


async def test_the_spending_cap(cluster: Cluster, client: AsyncClient, billing: Billing) -> None:
    person = await _somebody(client, billing, plan="payg")
    await billing.credit(email=person.email, micro_usd=10_000_000)
    with psycopg.connect(cluster.database_url) as connection:
        connection.execute(
            "update accounts set spending_cap_micro_usd = 140000 where email = %s", [person.email]
        )

    await _seven_and_no_more(cluster, client, billing, person, limit="spending_cap")
