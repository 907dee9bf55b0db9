"""One key, one image: 50 at once on three processes, Redis or not; and the end of one's work wakes all who wait."""

import asyncio
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator

import psycopg
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.billing.service import Billing
from tests.concurrency.cluster import Cluster, billing_of
from tests.people import Person, sign_up

AT_ONCE = 50


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[AsyncClient]:
    async with cluster.client() as client:
        yield client


@pytest.fixture
async def billing(cluster: Cluster) -> AsyncIterator[Billing]:
    async with billing_of(cluster) as billing:
        yield billing


@pytest.fixture
async def person(client: AsyncClient, billing: Billing) -> Person:
    person = await sign_up(client, f"{secrets.token_hex(4)}@example.com")
    await billing.move(email=person.email, plan="hourly")
    return person


async def _ask(
    client: AsyncClient, person: Person, prompt: str, *, key: str, prefer: str = "wait=60"
) -> Response:
    headers = {**person.by_key, "Idempotency-Key": key, "Prefer": prefer}
    return await client.post("/v1/generate", json={"prompt": prompt}, headers=headers)


def _generations(cluster: Cluster, person: Person) -> Counter[str]:
    with psycopg.connect(cluster.database_url) as connection:
        rows = connection.execute(
            "select state from generations g join accounts a on a.id = g.account_id where email = %s",
            [person.email],
        )
        return Counter(state for (state,) in rows)


async def test_50_at_once_with_one_key_make_one_image_and_all_get_it(
    cluster: Cluster, client: AsyncClient, billing: Billing, person: Person
) -> None:
    prompt = f"a banana {secrets.token_hex(4)} [sandbox:latency=0.5]"

    answers = await asyncio.gather(*(_ask(client, person, prompt, key="one") for _ in range(AT_ONCE)))

    assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = Counter(answer.headers.get("Idempotent-Replayed") for answer in answers)
    assert replayed == {"true": AT_ONCE - 1, None: 1}
    pictures = await asyncio.gather(*(client.get(answer.json()["url"]) for answer in answers))
    assert {(picture.status_code, picture.headers["content-type"]) for picture in pictures} == {
        (200, "image/jpeg")
    }
    assert cluster.google_calls(about=prompt[:17]) == 1
    assert _generations(cluster, person) == {"succeeded": 1}
    assert await billing.reconcile() == []


async def test_50_at_once_with_one_key_cost_one_token_of_the_hour(
    cluster: Cluster, client: AsyncClient, person: Person
) -> None:
    await asyncio.gather(*(_ask(client, person, "a banana", key="one") for _ in range(AT_ONCE)))

    listed = await client.get("/v1/generations", headers=person.by_key)

    left = int(re.findall(r'"hour";r=(\d+)', listed.headers["RateLimit"])[0])
    # Without Redis each process has a third of the limit, and counts the key once.
    assert left in (99, 32)


async def test_50_at_once_whose_first_fails_share_its_failure_or_make_one_image_after_it(
    cluster: Cluster, client: AsyncClient, billing: Billing, person: Person
) -> None:
    name = secrets.token_hex(4)
    prompt = f"a banana {name} [sandbox:no_image] [sandbox:latency=0.2]"

    answers = await asyncio.gather(*(_ask(client, person, prompt, key="one") for _ in range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {503}
    # Each that fails was tried once more.
    assert cluster.google_calls(about=name) == 2 * _generations(cluster, person)["failed"]
    assert await billing.reconcile() == []
    assert (await _ask(client, person, "an apple", key="one")).status_code == 200


async def test_two_bodies_at_once_under_one_key_one_is_made_and_the_other_refused(
    cluster: Cluster, client: AsyncClient, billing: Billing, person: Person
) -> None:
    prompts = ["a banana", "an apple"] * 10

    answers = await asyncio.gather(*(_ask(client, person, prompt, key="one") for prompt in prompts))

    assert Counter(answer.status_code for answer in answers) == {200: 10, 422: 10}
    assert _generations(cluster, person) == {"succeeded": 1}
    assert await billing.reconcile() == []


async def test_who_waits_in_any_process_is_woken_within_half_a_second(
    cluster: Cluster, client: AsyncClient, person: Person
) -> None:
    prompt = "a banana [sandbox:latency=1.5]"

    async def ask() -> tuple[Response, float]:
        async with cluster.client() as own:  # a connection of its own, so that all processes get some
            return await _ask(own, person, prompt, key="one"), time.monotonic()

    answers = await asyncio.gather(*(ask() for _ in range(12)))

    first = min(at for _, at in answers)
    assert {answer.status_code for answer, _ in answers} == {200}
    # 0.2 s between two looks, and what a busy machine adds.
    assert max(at for _, at in answers) - first < 1


async def test_who_waits_shorter_than_the_work_takes_gets_202_and_the_same_id(
    cluster: Cluster, client: AsyncClient, person: Person
) -> None:
    prompt = "a banana [sandbox:latency=3]"
    first = asyncio.create_task(_ask(client, person, prompt, key="one"))
    await asyncio.sleep(0.3)

    attached = await asyncio.gather(
        *(_ask(client, person, prompt, key="one", prefer="wait=1") for _ in range(9))
    )

    made = await first
    assert {(answer.status_code, answer.json()["id"]) for answer in attached} == {(202, made.json()["id"])}
    assert {answer.headers["Location"] for answer in attached} == {f"/v1/generations/{made.json()['id']}"}
    assert made.status_code == 200
    assert made.json()["created_at"] == attached[0].json()["created_at"]
