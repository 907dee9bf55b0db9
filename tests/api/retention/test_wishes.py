"""For how long an order wants its picture kept."""

import hashlib
from dataclasses import replace

import orjson
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.generation import rules
from nanobanana.domain.generation.types import Order
from nanobanana.services import Services
from tests.people import Person
from tests.plans import put_on_plan


async def order(
    client: AsyncClient, by: dict[str, str], retention: object, *, query: str = "", key: str = ""
) -> Response:
    headers = {**by, **({"Idempotency-Key": key} if key else {})}
    body = {"prompt": "a banana", "retention": retention}
    return await client.post(f"/v1/generate{query}", json=body, headers=headers)


async def kept_s(services: Services) -> list[tuple[object, object, object]]:
    """Of each picture: what its row says, whether by wish, and when it goes."""
    rows = await services.database.statement(
        """
        select retention_s, retention_is_own, extract(epoch from expires_at - finished_at)::bigint as goes_after_s
        from generations order by id
        """,
        {},
    )
    return [(row["retention_s"], row["retention_is_own"], row["goes_after_s"]) for row in rows]


async def test_a_picture_is_kept_for_as_long_as_its_order_says_up_to_the_plans(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, retention_days=7)
    lengths = {"60m": 3_600, "1h": 3_600, "36h": 129_600, "168h": 604_800, "7d": 604_800}

    for length in lengths:
        assert (await order(client, alice.by_key, length)).status_code == 200
    assert (await order(client, alice.by_key, None)).status_code == 200

    wished = [(seconds, True, seconds) for seconds in lengths.values()]
    assert await kept_s(services) == [*wished, (604_800, False, 604_800)]


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
async def test_longer_than_the_plan_is_400_says_how_long_and_holds_nothing(
    client: AsyncClient, alice: Person, services: Services, query: str
) -> None:
    await put_on_plan(services, alice, retention_days=7)

    for by in (alice.by_key, alice.by_test_key):
        error = (await order(client, by, "8d", query=query)).json()["error"]
        assert (error["code"], error["param"], error["charged"]) == ("invalid_request", "retention", False)
        assert "7d" in error["message"]
    assert await kept_s(services) == []


async def test_where_the_plan_keeps_pictures_for_good_any_length_will_do(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, retention_days=None)

    assert (await order(client, alice.by_key, "3650d")).status_code == 200
    assert (await order(client, alice.by_key, None)).status_code == 200

    assert await kept_s(services) == [(315_360_000, True, 315_360_000), (None, False, None)]


async def test_pictures_of_test_keys_are_kept_for_a_day_at_most(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    for length in ("2d", None, "1h"):
        assert (await order(client, alice.by_test_key, length)).status_code == 200

    assert [seconds for seconds, _, _ in await kept_s(services)] == [86_400, 86_400, 3_600]


@pytest.mark.parametrize(
    "wrong",
    ["59m", "0h", "0d", "3651d", "87601h", "7", "d", "1w", "-1d", "1.5h", " 1d", "1d\n", "1D", "१d", 86400],
)
async def test_a_length_that_is_none_is_400(client: AsyncClient, alice: Person, wrong: object) -> None:
    response = await order(client, alice.by_key, wrong)

    assert (response.status_code, response.json()["error"]["param"]) == (400, "retention")


async def test_the_length_is_part_of_what_an_idempotency_key_stands_for(
    client: AsyncClient, alice: Person
) -> None:
    first = await order(client, alice.by_key, "24h", key="one")

    again = await order(client, alice.by_key, "1d", key="one")
    other = await order(client, alice.by_key, "2d", key="one")

    assert again.json()["id"] == first.json()["id"]
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


def test_an_order_that_says_nothing_of_it_has_the_fingerprint_of_before_it_could() -> None:
    wish = {"format": "png", "prompt": "a banana", "size": "1024x1024", "style": "natural"}
    order = Order(prompt="a banana", size="1024x1024", style="natural", format="png")
    before = hashlib.sha256(orjson.dumps(["POST /v1/generate", wish])).digest()

    assert rules.idempotency("one", order).fingerprint == before
    assert rules.idempotency("one", replace(order, retention_s=3_600)).fingerprint != before
