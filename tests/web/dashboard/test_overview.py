"""The overview says what `GET /v1/usage` and the headers of limits say, of one's own account alone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import PASSWORD, Person
from tests.plans import AN_IMAGE, put_on_plan
from tests.web.browser import log_in
from tests.web.dashboard.reading import rows, words

pytestmark = pytest.mark.usefixtures("patience_with_redis")

TODAY = datetime.now(UTC).date()
LONG_NAME = "a key <b>whose</b> name is as long as may be " + "o" * 55


async def new_key(client: AsyncClient, person: Person, **settings: object) -> tuple[str, dict[str, str]]:
    created = (await client.post("/v1/keys", json=settings, headers=person.by_session)).json()
    return created["id"], {"Authorization": f"Bearer {created['key']}"}


async def ask(client: AsyncClient, by: dict[str, str], prompt: str = "a banana") -> dict[str, str]:
    return dict((await client.post("/v1/generate", json={"prompt": prompt}, headers=by)).headers)


async def used(services: Services, person: Person, *, days_ago: int, images: int, key: int = 1) -> None:
    """Booked on that key of the person's, from the newest on, without its images."""
    await services.database.statement(
        """
        insert into usage_days (account_id, day, api_key_id, images, micro_usd, cost_micro_usd, failed, blocked)
        select a.id, (now() at time zone 'utc')::date - %(days_ago)s, k.id, %(images)s, 0, 0, 2, 1
        from accounts a cross join lateral
            (select id from api_keys where account_id = a.id order by id desc limit 1 offset %(key)s - 1) k
        where a.email = %(email)s
        """,
        {"email": person.email, "days_ago": days_ago, "images": images, "key": key},
    )


async def test_a_new_account_is_told_how_to_make_its_first_image(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    page = await client.get("/dashboard")

    assert page.status_code == 200
    assert "Your first image" in page.text
    assert 'href="/playground"' in page.text
    assert "curl -s http://nanobanana.test/v1/generate" in page.text
    assert "$NANOBANANA_KEY" in page.text
    assert alice.key not in page.text
    assert "<figure" not in page.text


async def test_its_figures_are_those_of_the_usage_report(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE, images_per_month=50, images_per_hour=10)
    await services.billing.credit(email=alice.email, micro_usd=1_000_000)
    cap = {"current_password": PASSWORD, "monthly_spending_cap_usd": 0.5}
    await client.patch("/v1/account", json=cap, headers=alice.by_session)
    id, by_second = await new_key(client, alice, name=LONG_NAME)
    for prompt in ("قطة برتقالية على الشاطئ", "a banana", "[sandbox:image_safety]"):
        await ask(client, alice.by_key, prompt)
    await ask(client, by_second, "[sandbox:truncate]")
    headers = await ask(client, by_second, "<script>alert(1)</script>")
    await ask(client, alice.by_test_key)
    await client.delete(f"/v1/keys/{id}", headers=alice.by_session)

    report = (await client.get("/v1/usage", headers=alice.by_session)).json()
    await log_in(client, alice.email)
    page = await client.get("/dashboard")
    text = words(page)

    assert report["totals"] == {"images": 3, "amount_usd": 0.06, "failed": 1, "blocked": 1}
    figures = ["2", "1", "3", "1", "1", "$0.06"]
    assert rows(page, "figures") == [[str(TODAY), *figures], ["30 days", *figures]]
    assert f"3 of {report['quota']['limit']} images" in text
    assert f"{report['quota']['left']} left." in text
    assert "1 failed and 1 refused: not charged" in text
    hour_left = re.findall(r'"hour";r=(\d+)', headers["ratelimit"])[0]
    assert f"{10 - int(hour_left)} of 10 images {hour_left} left" in text
    assert "$0.94 $0.06 spent this month, of your cap of $0.50. $0.44 left to spend." in text
    assert report["money"]["left_usd"] == 0.44
    # The last six: names and prompts as they were written, each in its own direction.
    assert text.count("Free: a test image") == 1
    assert "Not charged: refused by the content policy" in text
    assert '<span class="caption" dir="auto">قطة' in page.text
    assert LONG_NAME in text
    assert "<b>whose" not in page.text
    assert "<script>alert" not in page.text
    assert len(re.findall(r'href="/gallery/gen_\w{22}"', page.text)) == 6

    await log_in(client, charlie.email)
    others = await client.get("/dashboard")
    assert "Your first image" in others.text
    assert "قطة" not in others.text
    assert LONG_NAME not in words(others)


async def test_days_are_chosen_and_each_day_is_within_its_span(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    for days_ago, images in ((0, 1), (6, 10), (7, 100), (29, 1_000), (30, 10_000), (89, 100_000), (90, 7)):
        await used(services, alice, days_ago=days_ago, images=images)
    await log_in(client, alice.email)

    for days, total in ((7, "11"), (30, "1,111"), (90, "111,111")):
        page = await client.get(f"/dashboard?days={days}")
        assert rows(page, "figures")[-1][:2] == [f"{days} days", total]
        assert page.text.count("<rect") == 2 * days
        assert page.text.count('aria-current="true"') == 1
        assert f'days={days}#days" aria-current="true"' in page.text
    assert len(page.text) < 40_000
    for strange in ("days=8", "days=", "days=x", "days=%00"):
        page = await client.get(f"/dashboard?{strange}")
        assert 'days=30#days" aria-current="true"' in page.text


async def test_six_keys_are_named_and_the_rest_are_others(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    for number in range(8):
        await new_key(client, alice, name=f"number {number}")
        await used(services, alice, days_ago=number, images=8 - number)
    await log_in(client, alice.email)
    page = await client.get("/dashboard?days=30")

    legend = re.findall(
        r'swatch ([\w-]+)"></span><span dir="auto">([^<]+)</span> <span[^>]+>(\d+)', page.text
    )
    named = [(f"tone-{n + 1}", f"number {n}", str(8 - n)) for n in range(6)]
    misses = [("tone-failed", "Failed", "16"), ("tone-refused", "Refused", "8")]
    assert legend == [*named, ("tone-others", "Other keys", "3"), *misses]
    assert rows(page, "figures")[-1][1:] == ["8", "7", "6", "5", "4", "3", "3", "36", "16", "8"]
    (day,) = [row for row in rows(page, "figures") if row[0] == str(TODAY - timedelta(days=7))]
    assert day[1:] == ["0", "0", "0", "0", "0", "0", "1", "1", "2", "1"]


async def test_a_key_is_close_to_its_cap_from_four_fifths_of_it(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    _, by_key = await new_key(client, alice, name="the capped one", monthly_image_cap=5)
    await log_in(client, alice.email)
    shown = []
    for _ in range(5):
        await ask(client, by_key)
        shown.append("close to their cap" in (await client.get("/dashboard")).text)

    assert shown == [False, False, False, True, True]
    text = words(await client.get("/dashboard"))
    assert "the capped one 5 of 5 images this month: it makes no more until the next one" in text


async def test_an_hour_is_slower_for_who_is_refused_often_and_unlimited_where_the_plan_says_so(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    await put_on_plan(services, alice)
    assert "No limit Your plan sets none an hour." in words(await client.get("/dashboard"))

    await put_on_plan(services, alice, images_per_hour=40)
    assert "0 of 40 images 40 left, for all live keys together." in words(await client.get("/dashboard"))
    await services.database.statement(
        "update accounts set refusals = 25, refused_on = (now() at time zone 'utc')::date", {}
    )
    headers = await ask(client, alice.by_key)
    assert '"hour";q=4;' in headers["ratelimit-policy"]
    text = words(await client.get("/dashboard"))
    assert "1 of 4 images 3 left" in text
    assert "One more in 60 minutes." in text
