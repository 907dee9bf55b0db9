"""What an owner of a balance may decide and see: a cap on a month's spending, with the password."""

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from tests.people import PASSWORD, Person
from tests.plans import AN_IMAGE, put_on_plan


async def change(client: AsyncClient, person: Person, **fields: object) -> Response:
    body = {"current_password": PASSWORD, **fields}
    return await client.patch("/v1/account", json=body, headers=person.by_session)


async def test_an_account_says_plan_cap_and_balance(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    async def money() -> tuple[object, ...]:
        shown = (await client.get("/v1/account", headers=alice.by_session)).json()
        exported = (await client.get("/v1/account/export", headers=alice.by_session)).json()["account"]
        names = ("plan", "monthly_spending_cap_usd", "balance_usd")
        assert [shown[name] for name in names] == [exported[name] for name in names]
        return tuple(shown[name] for name in names)

    assert await money() == ("free", None, None)
    plan = await put_on_plan(services, alice, image=AN_IMAGE)
    assert await money() == (plan, None, 0)
    await services.billing.credit(email=alice.email, micro_usd=7_500_001)
    await change(client, alice, monthly_spending_cap_usd=0.1)
    assert await money() == (plan, 0.1, 7.500001)
    await services.billing.move(email=alice.email, plan="pro")
    assert await money() == ("pro", 0.1, 7.500001)


@pytest.mark.parametrize("cap", [0.000001, 0.02, 25, 25.5, 123_456.654_321, 1_000_000])
async def test_a_cap_is_kept_to_the_micro_dollar(
    client: AsyncClient, alice: Person, services: Services, cap: float
) -> None:
    changed = await change(client, alice, monthly_spending_cap_usd=cap)

    assert (changed.status_code, changed.json()["monthly_spending_cap_usd"]) == (200, cap)
    (row,) = await services.database.statement("select spending_cap_micro_usd from accounts", {})
    assert row["spending_cap_micro_usd"] == round(cap * 1_000_000)


@pytest.mark.parametrize("cap", [0, -1, 0.000_000_1, 1.000_000_1, 1_000_000.000_001, "25", True, [25], 1e300])
async def test_what_is_no_amount_is_400(client: AsyncClient, alice: Person, cap: object) -> None:
    refused = await change(client, alice, monthly_spending_cap_usd=cap)

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "monthly_spending_cap_usd")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
async def test_what_is_no_number_of_json_is_400(client: AsyncClient, alice: Person, number: str) -> None:
    body = f'{{"current_password": "{PASSWORD}", "monthly_spending_cap_usd": {number}}}'
    headers = {**alice.by_session, "Content-Type": "application/json"}

    assert (await client.patch("/v1/account", content=body, headers=headers)).status_code == 400


async def test_null_takes_the_cap_away_and_leaving_it_out_leaves_it(
    client: AsyncClient, alice: Person
) -> None:
    caps = [
        (await change(client, alice, **fields)).json()["monthly_spending_cap_usd"]
        for fields in (
            {"monthly_spending_cap_usd": 5},
            {"password": PASSWORD},
            {"monthly_spending_cap_usd": None},
        )
    ]

    assert caps == [5, 5, None]


async def test_it_takes_the_current_password(client: AsyncClient, alice: Person) -> None:
    wrong = await change(client, alice, current_password="not the password", monthly_spending_cap_usd=5)
    missing = await client.patch(
        "/v1/account", json={"monthly_spending_cap_usd": 5}, headers=alice.by_session
    )
    by_key = await client.patch(
        "/v1/account",
        json={"current_password": PASSWORD, "monthly_spending_cap_usd": 5},
        headers=alice.by_key,
    )

    assert [wrong.status_code, missing.status_code, by_key.status_code] == [403, 400, 401]
    shown = (await client.get("/v1/account", headers=alice.by_session)).json()
    assert shown["monthly_spending_cap_usd"] is None


async def test_a_refused_password_leaves_the_cap_as_it_was(client: AsyncClient, alice: Person) -> None:
    refused = await change(client, alice, password="qwertyuiop", monthly_spending_cap_usd=5)

    assert refused.status_code == 400
    shown = (await client.get("/v1/account", headers=alice.by_session)).json()
    assert shown["monthly_spending_cap_usd"] is None


async def test_nothing_to_change_is_400_and_a_misspelled_field_is_named(
    client: AsyncClient, alice: Person
) -> None:
    nothing = await change(client, alice)
    misspelled = await change(client, alice, spending_cap_usd=5)

    assert [nothing.status_code, misspelled.status_code] == [400, 400]
    assert "monthly_spending_cap_usd" in nothing.json()["error"]["message"]
    assert "Did you mean 'monthly_spending_cap_usd'?" in misspelled.json()["error"]["message"]


async def test_a_cap_holds_for_the_month_and_a_higher_one_at_once(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    async def generate() -> Response:
        return await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)

    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    await change(client, alice, monthly_spending_cap_usd=0.059999)

    asked = [await generate() for _ in range(3)]
    await change(client, alice, monthly_spending_cap_usd=0.06)
    asked += [await generate() for _ in range(2)]

    assert [answer.status_code for answer in asked] == [200, 200, 402, 200, 402]
    assert {answer.json()["error"]["limit"] for answer in (asked[2], asked[4])} == {"spending_cap"}
