"""Plan, balance, months and ledger as they are booked, of one's own account alone; the spending cap as the API takes it."""

import re

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import PASSWORD, Person
from tests.plans import AN_IMAGE, put_on_plan
from tests.web.browser import FROM_OURS, form_token_of, log_in
from tests.web.dashboard.reading import rows

NOTHING = "\N{EN DASH}"


async def book(services: Services, person: Person, *, images: int) -> None:
    """In the ledger, as that many captures of no generation."""
    await services.database.statement(
        """
        insert into ledger (account_id, kind, day, images, micro_usd)
        select id, 'capture', now()::date, 1, -n from accounts, generate_series(1, %(images)s) n where email = %(email)s
        """,
        {"email": person.email, "images": images},
    )


async def set_cap(client: AsyncClient, cap: str, password: str = PASSWORD) -> Response:
    form = {
        "form_token": form_token_of(await client.get("/billing")),
        "monthly_spending_cap_usd": cap,
        "current_password": password,
    }
    return await client.post("/billing/cap", data=form, headers=FROM_OURS)


async def cap_of(client: AsyncClient, person: Person) -> float | None:
    account = (await client.get("/v1/account", headers=person.by_session)).json()
    return account["monthly_spending_cap_usd"]


async def test_the_plans_in_force_are_listed_and_ones_own_is_marked(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    own = await put_on_plan(
        services, alice, month=19_990_000, images_per_month=1_234, images_in_flight=20, retention_days=90
    )
    await log_in(client, alice.email)
    page = await client.get("/billing")

    table = {row[0]: row[1:] for row in rows(page, "Plans")}
    assert table[f"{own} yours"] == ["$19.99 a month", "1,234", "no limit", "20", "90 days"]
    assert table["payg"][0] == "$0.02 an image"
    assert table["free"][0] == "Free"
    assert page.text.count(">yours<") == 1
    assert "Paying is not built in yet" in page.text


async def test_what_is_booked_adds_up_on_the_page(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=2_000_000)
    await services.billing.credit(email=alice.email, micro_usd=-500_000)
    for prompt in ("a banana", "[sandbox:truncate]"):
        await client.post("/v1/generate", json={"prompt": prompt}, headers=alice.by_key)
    await log_in(client, alice.email)
    page = await client.get("/billing")

    sums = {"Credited": "$1.50", "Spent": "$0.02", "Balance": "$1.48"}
    assert dict(re.findall(r"<dt>(\w+)</dt><dd>([^<]+)</dd>", page.text)) == sums
    ((_, *month),) = rows(page, "Months")
    assert month == ["1", "$0.02"]
    movements = [row[1:5] for row in rows(page, "movements")]
    assert movements == [
        ["Given back", "1 given back", "$0.02 given back", "First key"],
        ["Held", "1 held", "$0.02 held", "First key"],
        ["Charged", "1", "-$0.02", "First key"],
        ["Held", "1 held", "$0.02 held", "First key"],
        ["Credit taken back", NOTHING, "-$0.50", NOTHING],
        ["Credit", NOTHING, "+$2.00", NOTHING],
    ]
    listed = (await client.get("/v1/generations", headers=alice.by_session)).json()["data"]
    linked = re.findall(r'href="/gallery/(\w+)"', page.text)
    assert linked == [row["id"] for row in listed for _ in range(2)]

    await log_in(client, charlie.email)
    others = await client.get("/billing")
    assert "Every movement will stand here" in others.text
    assert "Your months will stand here" in others.text
    assert not any(row["id"] in others.text for row in listed)


async def test_the_ledger_is_read_in_pages_of_fifty_and_nobody_elses_is_in_them(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    for person, images in ((alice, 50), (charlie, 3), (alice, 51), (charlie, 3)):
        await book(services, person, images=images)
    await log_in(client, alice.email)
    page = await client.get("/billing")
    lengths = [len(rows(page, "movements"))]
    while older := re.findall(r'href="(/billing/ledger\?before=\d+)"', page.text):
        page = await client.get(older[0])
        lengths.append(len(rows(page, "movements")))
        assert 'href="/billing/ledger">Newest' in page.text

    assert lengths == [50, 50, 1]
    await log_in(client, charlie.email)
    exactly = await client.get("/billing/ledger")
    assert len(rows(exactly, "movements")) == 6
    assert "Older" not in exactly.text
    assert "Nothing here." in (await client.get("/billing/ledger?before=1")).text
    strange = [await client.get(f"/billing/ledger?before={n}") for n in ("0", "-1", "x", 2**63, "1 or 1=1")]
    assert {(page.status_code, page.headers["content-type"]) for page in strange} == {
        (400, "text/html; charset=utf-8")
    }


async def test_a_cap_is_set_changed_and_taken_away(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    for typed, cap, shown in (("12.5", 12.5, "12.50"), ("$ 1000", 1000, "1000.00"), ("", None, "")):
        done = await set_cap(client, typed)
        assert done.status_code == 303
        assert await cap_of(client, alice) == cap
        page = await client.get(done.headers["location"])
        assert 'class="notice"' in page.text
        assert f'name="monthly_spending_cap_usd" type="text" value="{shown}"' in page.text
    assert 'class="notice"' not in (await client.get("/billing?done=anything")).text


async def test_a_cap_takes_the_password_and_an_amount_and_says_all_that_is_wrong(
    client: AsyncClient, alice: Person
) -> None:
    await log_in(client, alice.email)
    await set_cap(client, "5")
    wrong = await set_cap(client, "7", "not the password")
    assert wrong.status_code == 403
    assert 'role="alert"' in wrong.text
    assert 'value="7"' in wrong.text
    for cap in ("0", "-1", "many", "nan", "1e999", "0.0000001", "12,50"):
        refused = await set_cap(client, cap, "")
        assert refused.status_code == 400, cap
        assert refused.text.count('class="wrong"') == 2
        assert f'value="{cap}"' in refused.text
    missing = await set_cap(client, "7", "")
    assert (missing.status_code, missing.text.count('aria-invalid="true"')) == (400, 1)
    assert await cap_of(client, alice) == 5


class TestThrottled:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"throttle_scale": 1})

    async def test_passwords_cannot_be_guessed_at_the_cap(self, client: AsyncClient, alice: Person) -> None:
        await log_in(client, alice.email)
        statuses = [(await set_cap(client, "7", "not the password")).status_code for _ in range(12)]

        assert statuses[0] == 403
        assert statuses[-1] == 429
        assert (await set_cap(client, "7")).status_code == 429
        assert await cap_of(client, alice) is None
