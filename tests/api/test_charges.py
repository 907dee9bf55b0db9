"""What a generation was charged is said wherever it is shown; only a picture is charged."""

import asyncio

import psycopg
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

HELD = {"state": "held", "images": 1, "amount_usd": 0.02, "reason": "in_progress"}
CAPTURED = {"state": "captured", "images": 1, "amount_usd": 0.02, "reason": "image_kept"}
CENTS_2 = 20_000


def released(reason: str) -> dict[str, object]:
    return {"state": "released", "images": 0, "amount_usd": 0, "reason": reason}


async def ask(client: AsyncClient, key: dict[str, str], prompt: str, **headers: str) -> Response:
    return await client.post("/v1/generate", json={"prompt": prompt}, headers={**key, **headers})


async def shown(client: AsyncClient, person: Person) -> list[dict[str, object]]:
    """The charges of all generations, as the list, the export and each generation's own address have them."""
    listed = (await client.get("/v1/generations", headers=person.by_key)).json()["data"]
    exported = (await client.get("/v1/account/export", headers=person.by_session)).json()["generations"]
    single = [
        (await client.get(f"/v1/generations/{row['id']}", headers=person.by_session)).json() for row in listed
    ]
    charges = [row["charge"] for row in listed]
    assert charges == [row["charge"] for row in exported] == [row["charge"] for row in single]
    return charges


async def _ended(client: AsyncClient, person: Person, location: str) -> dict[str, object]:
    async with asyncio.timeout(20):
        while (row := (await client.get(location, headers=person.by_key)).json())["status"] == "running":
            await asyncio.sleep(0.05)
    return row


@pytest.fixture
async def payer(alice: Person, services: Services) -> Person:
    """Pays two cents an image, and has a dollar."""
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    return alice


async def test_an_image_is_held_for_then_captured(client: AsyncClient, payer: Person) -> None:
    begun = await ask(client, payer.by_key, "a banana [sandbox:latency=0.4]", Prefer="respond-async")
    held = await shown(client, payer)
    ended = await _ended(client, payer, begun.headers["location"])

    assert (begun.status_code, begun.json()["charge"], held) == (202, HELD, [HELD])
    assert ended["charge"] == CAPTURED
    assert await shown(client, payer) == [CAPTURED]


@pytest.mark.parametrize(
    ("scenario", "status", "reason"),
    [("truncate", 503, "upstream_unavailable"), ("image_safety", 422, "content_policy")],
)
async def test_a_failure_is_released_with_its_reason(
    client: AsyncClient, payer: Person, scenario: str, status: int, reason: str
) -> None:
    failed = await ask(client, payer.by_key, f"a banana [sandbox:{scenario}]")

    assert (failed.status_code, failed.json()["error"]["charged"]) == (status, False)
    assert await shown(client, payer) == [released(reason)]


async def test_where_the_plan_covers_an_image_it_takes_no_money(client: AsyncClient, alice: Person) -> None:
    made = await ask(client, alice.by_key, "a banana")

    assert made.json()["charge"] == {**CAPTURED, "amount_usd": 0}


async def test_test_images_take_nothing_held_or_made_or_failed(client: AsyncClient, payer: Person) -> None:
    begun = await ask(client, payer.by_test_key, "[test:slow=1]", Prefer="respond-async")
    made = await ask(client, payer.by_test_key, "a banana")
    await ask(client, payer.by_test_key, "[test:content_policy]")

    assert begun.json()["charge"] == made.json()["charge"] == released("test_mode")
    assert await shown(client, payer) == [released("test_mode")] * 3


async def test_every_kind_of_refusal_says_that_nothing_was_charged(
    client: AsyncClient, payer: Person, services: Services, database_url: str
) -> None:
    no_key = {"Authorization": "Bearer nb_live_x"}
    bad = await client.post("/v1/generate", json={}, headers=payer.by_key)
    refused = [
        bad,
        await ask(client, no_key, "a banana"),
        await ask(client, payer.by_key, "[sandbox:truncate]"),
    ]
    await services.billing.credit(email=payer.email, micro_usd=-1_000_000)
    refused.append(await ask(client, payer.by_key, "a banana"))

    assert [answer.status_code for answer in refused] == [400, 401, 503, 402]
    assert [answer.json()["error"]["charged"] for answer in refused] == [False] * 4
    with psycopg.connect(database_url) as connection:
        spent = connection.execute(
            "select sum(micro_usd), sum(held_micro_usd) from account_months"
        ).fetchone()
    assert spent == (0, 0)
