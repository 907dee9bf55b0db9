"""Keys as their owner sees and changes them: the same rules as /v1/keys, in forms."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.api_keys.errors import RotatedMeanwhileError
from nanobanana.domain.api_keys.service import MAX_KEYS
from nanobanana.services import Services
from tests.people import Person
from tests.web.browser import FROM_OURS, form_token_of, log_in

KEY = re.compile(r"nb_(?:live|test)_[0-9A-Za-z]{36}")
ALL = ["generate", "read", "usage"]
PLAIN = {"name": "shop", "mode": "live", "scopes": ALL}
LATER = "2100-01-31"


@pytest.fixture
async def browser(client: AsyncClient, alice: Person) -> AsyncClient:
    """Alice's, logged in."""
    await log_in(client, alice.email)
    return client


async def send(client: AsyncClient, path: str, **form: object) -> Response:
    """As the form at /keys, or on the page of a key, does."""
    token = form_token_of(await client.get("/account"))
    return await client.post(path, data={"form_token": token, **form}, headers=FROM_OURS)


async def rotate(client: AsyncClient, key: dict[str, Any], overlap: str) -> Response:
    form = {"last4": key["last4"], "overlap_seconds": overlap}
    return await send(client, f"/keys/{key['id']}/rotate", **form)


async def create(client: AsyncClient, person: Person, **body: object) -> dict[str, Any]:
    answer = await client.post("/v1/keys", json=body, headers=person.by_session)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def stored(client: AsyncClient, person: Person, id: str) -> dict[str, Any]:
    return (await client.get(f"/v1/keys/{id}", headers=person.by_session)).json()


async def newest(client: AsyncClient, person: Person) -> dict[str, Any]:
    return (await client.get("/v1/keys", headers=person.by_session)).json()["data"][0]


async def is_taken(client: AsyncClient, key: str) -> bool:
    answer = await client.get("/v1/generations", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code == 200


def typed_in(page: Response, name: str) -> str:
    """What the field holds."""
    (field,) = re.findall(rf'<(?:input|textarea) [^>]*name="{name}"[^>]*>[^<]*', page.text)
    value = re.search(r'value="([^"]*)"', field)
    return value[1] if value else field.partition(">")[2].strip()


def ticked(page: Response) -> list[str]:
    return re.findall(r'name="scopes" value="(\w+)" checked', page.text)


async def test_the_list_tells_how_each_key_stands(browser: AsyncClient, alice: Person) -> None:
    await create(browser, alice, name="capped", monthly_image_cap=1234, expires_at=LATER)
    off = await create(browser, alice, name="off")
    await browser.patch(f"/v1/keys/{off['id']}", json={"disabled": True}, headers=alice.by_session)
    turned = await create(browser, alice, name="turned")
    await browser.post(f"/v1/keys/{turned['id']}/rotate", json={}, headers=alice.by_session)
    await browser.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)

    page = (await browser.get("/keys")).text
    rows = " ".join(page.split()).split("<li>")[1:]

    assert [re.search(r'dir="auto">([^<]+)</a>', row)[1] for row in rows] == [
        *("turned", "off", "capped", "First test key", "First key"),
    ]
    assert "rotating until" in rows[0]
    assert ">disabled<" in rows[1]
    assert ">active<" not in rows[1]
    assert "0 of 1,234 images this month" in rows[2]
    assert "31 Jan 2100, 00:00" in rows[2]
    assert "Free, without a cap" in rows[3]
    assert "this month" not in rows[3]
    assert "1 image this month" in rows[4]
    assert ">active<" in rows[4]
    assert f"…{alice.key[-4:]}" in rows[4]


async def test_name_and_mode_are_enough_for_a_key_which_is_shown_once(
    browser: AsyncClient, alice: Person
) -> None:
    for mode in ("live", "test"):
        shown = await send(browser, "/keys", name="  my shop  ", mode=mode, scopes=ALL)
        (key,) = set(KEY.findall(shown.text))
        line = f"Authorization: Bearer {key}"

        assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
        assert key.startswith(f"nb_{mode}_")
        assert line in shown.text.replace("&#39;", "'")
        assert await is_taken(browser, key)
        made = await newest(browser, alice)
        assert (made["name"], made["mode"], made["scopes"]) == ("my shop", mode, ALL)
        unlimited = ("expires_at", "monthly_image_cap", "images_per_hour", "allowed_addresses")
        assert {made[name] for name in unlimited} == {None}
        for path in ("/keys", f"/keys/{made['id']}"):
            assert not KEY.search((await browser.get(path)).text)


async def test_a_new_key_takes_all_settings_of_the_api(browser: AsyncClient, alice: Person) -> None:
    more = {"monthly_image_cap": " 20 ", "images_per_hour": "5", "expires_at": LATER}
    addresses = " 10.1.2.3/8 \r\n\r\n2001:db8::1\r\n"
    shown = await send(
        browser, "/keys", name="x" * 100, mode="live", scopes=["read"], allowed_addresses=addresses, **more
    )
    made = await newest(browser, alice)

    # No line to make an image with: it may not.
    assert "curl" not in shown.text
    assert (made["monthly_image_cap"], made["images_per_hour"], made["scopes"]) == (20, 5, ["read"])
    assert made["allowed_addresses"] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert made["expires_at"] == f"{LATER}T00:00:00Z"


WRONG = [
    ({"name": ""}, "name", "This must not be empty."),
    ({"name": "  "}, "name", "This must not be empty."),
    ({"name": "x" * 101}, "name", "This must have at most 100 characters."),
    ({"monthly_image_cap": "0"}, "monthly_image_cap", "This must be at least 1."),
    ({"monthly_image_cap": "1000000001"}, "monthly_image_cap", "This must be at most 1,000,000,000."),
    ({"monthly_image_cap": "1.5"}, "monthly_image_cap", "This must be a whole number."),
    ({"images_per_hour": "many"}, "images_per_hour", "This must be a whole number."),
    ({"images_per_hour": "9" * 5000}, "images_per_hour", "This must be a whole number."),
    ({"scopes": []}, "scopes", "This must not be empty."),
    ({"scopes": ["admin"]}, "scopes", "Line 1: This must be "),
    ({"expires_at": "2020-01-01"}, "expires_at", "This must lie in the future"),
    ({"expires_at": "2100-02-31"}, "expires_at", "This must be a day or a moment"),
    (
        {"allowed_addresses": "10.0.0.1\n\nx\n10.0.0.0/33"},
        "allowed_addresses",
        "Line 2, 3: This must be an IP",
    ),
    (
        {"allowed_addresses": "\n".join(f"10.0.0.{n}" for n in range(51))},
        "allowed_addresses",
        "This must have at most 50 entries.",
    ),
]


@pytest.mark.parametrize(("wrong", "name", "message"), WRONG)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    browser: AsyncClient, alice: Person, wrong: dict[str, object], name: str, message: str
) -> None:
    key = await create(browser, alice, name="before", monthly_image_cap=7)
    # Emptied fields stay empty too, whatever the key has.
    form = {**PLAIN, "name": "as typed", "scopes": ["usage"], **wrong}
    for path in ("/keys", f"/keys/{key['id']}"):
        page = await send(browser, path, **form)

        assert page.status_code == 400
        assert "see below" in page.text
        said = re.search(rf'<div id="{name}-hint">\s*<p class="wrong">([^<]*)', page.text)
        assert said
        assert said[1].startswith(message)
        assert f'aria-describedby="{name}-hint" aria-invalid="true"' in page.text
        assert typed_in(page, "name") == str(form["name"]).strip()
        assert typed_in(page, "monthly_image_cap") == wrong.get("monthly_image_cap", "")
        assert ticked(page) == (["usage"] if "scopes" not in wrong else [])
        assert typed_in(page, "expires_at") == wrong.get("expires_at", "")
    assert (await newest(browser, alice))["name"] == "before"
    assert (await stored(browser, alice, key["id"]))["monthly_image_cap"] == 7


async def test_all_problems_are_told_at_once(browser: AsyncClient) -> None:
    page = await send(browser, "/keys", mode="no", monthly_image_cap="0", allowed_addresses="x")

    assert len(re.findall('class="wrong"', page.text)) == 5  # with the name and the rights, which are missing
    assert len(re.findall("<details[^>]* open>", page.text)) == 2


async def test_the_hundredth_key_is_the_last(browser: AsyncClient, alice: Person, services: Services) -> None:
    await services.database.statement(
        """
        insert into api_keys (id, account_id, mode, hash, last4, name, scopes)
        select 'key_' || lpad(n::text, 22, '0'), k.account_id, 'live', sha256(n::text::bytea), 'abcd', 'many', k.scopes
        from generate_series(1, %(more)s) n cross join (select * from api_keys order by id limit 1) k
        """,
        {"more": MAX_KEYS - 3},
    )
    last = await send(browser, "/keys", **PLAIN)
    refused = await send(browser, "/keys", **{**PLAIN, "name": "one too many"})
    page = await browser.get("/keys")

    assert (last.status_code, refused.status_code) == (200, 409)
    assert "no account has more" in refused.text
    assert typed_in(refused, "name") == "one too many"
    assert page.text.count("<li>") == MAX_KEYS
    assert len(page.content) < 120_000


async def test_settings_are_changed_and_emptied_ones_taken_away(browser: AsyncClient, alice: Person) -> None:
    everything = {"monthly_image_cap": 9, "images_per_hour": 8, "allowed_addresses": ["10.0.0.0/8"]}
    key = await create(browser, alice, name="old", expires_at=LATER, **everything)
    page = await browser.get(f"/keys/{key['id']}")
    assert [
        typed_in(page, name) for name in ("name", "monthly_image_cap", "images_per_hour", "expires_at")
    ] == [
        *("old", "9", "8", LATER),
    ]
    assert (typed_in(page, "allowed_addresses"), ticked(page)) == ("10.0.0.0/8", ALL)

    changed = await send(browser, f"/keys/{key['id']}", name="new", scopes=["read", "usage"])

    assert (changed.status_code, changed.headers["location"]) == (303, f"/keys/{key['id']}?done=changed")
    assert "Saved." in (await browser.get(changed.headers["location"])).text
    after = await stored(browser, alice, key["id"])
    assert (after["name"], after["scopes"]) == ("new", ["read", "usage"])
    assert {after[name] for name in (*everything, "expires_at")} == {None}


async def test_an_expiry_that_nobody_touches_keeps_its_hour_even_when_it_is_past(
    browser: AsyncClient, alice: Person, services: Services
) -> None:
    key = await create(browser, alice, expires_at=f"{LATER}T12:34:56Z")
    await send(browser, f"/keys/{key['id']}", name="new", scopes=ALL, expires_at=LATER)
    assert (await stored(browser, alice, key["id"]))["expires_at"] == f"{LATER}T12:34:56Z"

    past = datetime(2026, 1, 31, 12, tzinfo=UTC)
    await services.database.statement(
        "update api_keys set expires_at = %(past)s where id = %(id)s", {"past": past, "id": key["id"]}
    )
    page = await browser.get(f"/keys/{key['id']}")
    assert ">expired<" in page.text
    assert ">active<" not in page.text
    kept = await send(browser, f"/keys/{key['id']}", name="newer", scopes=ALL, expires_at="2026-01-31")
    refused = await send(browser, f"/keys/{key['id']}", name="newer", scopes=ALL, expires_at="2026-02-01")

    assert (kept.status_code, refused.status_code) == (303, 400)
    assert (await stored(browser, alice, key["id"]))["name"] == "newer"


async def test_a_test_key_says_that_it_is_free_and_keeps_the_caps_that_its_page_does_not_ask_for(
    browser: AsyncClient, alice: Person
) -> None:
    key = await create(browser, alice, mode="test", monthly_image_cap=5)
    page = await browser.get(f"/keys/{key['id']}")
    await send(browser, f"/keys/{key['id']}", name="new", scopes=ALL)

    assert "free and count nowhere" in page.text
    assert 'name="monthly_image_cap"' not in page.text
    assert (await stored(browser, alice, key["id"])).items() >= {
        "name": "new",
        "monthly_image_cap": 5,
    }.items()


@pytest.mark.parametrize("overlap", ["0", "3600", "86400", "604800"])
async def test_a_rotation_shows_the_new_text_once_beside_which_the_old_one_works_as_long_as_wanted(
    browser: AsyncClient, alice: Person, overlap: str
) -> None:
    works = overlap != "0"
    key = await create(browser, alice, name="turned")
    shown = await rotate(browser, key, overlap)
    (text,) = set(KEY.findall(shown.text))
    after = await stored(browser, alice, key["id"])

    assert shown.status_code == 200
    assert ("has ended" in shown.text) is not works
    assert [await is_taken(browser, one) for one in (text, key["key"])] == [True, works]
    ends_in = datetime.fromisoformat(after["previous_expires_at"]) - datetime.now(UTC)
    assert abs(ends_in - timedelta(seconds=int(overlap))) < timedelta(minutes=1)
    page = (await browser.get(f"/keys/{key['id']}")).text
    assert (f"…{key['key'][-4:]}" in page) is works
    assert not KEY.search(page)


async def test_a_rotation_that_is_sent_twice_ends_no_text_that_goes_on_working(
    browser: AsyncClient, alice: Person
) -> None:
    key = await create(browser, alice, name="turned")
    page = (await browser.get(f"/keys/{key['id']}")).text
    at_once = await asyncio.gather(*[rotate(browser, key, "86400") for _ in range(3)])
    late = await rotate(browser, key, "86400")

    assert f'name="last4" value="{key["last4"]}"' in page
    assert sorted(answer.status_code for answer in at_once) == [200, 400, 400]
    assert (late.status_code, RotatedMeanwhileError().message in late.text) == (400, True)
    texts = {text for answer in (*at_once, late) for text in KEY.findall(answer.text)}
    assert [await is_taken(browser, text) for text in (*texts, key["key"])] == [True, True]


async def test_a_forged_overlap_rotates_nothing(browser: AsyncClient, alice: Person) -> None:
    key = await create(browser, alice)
    tried = [await rotate(browser, key, overlap) for overlap in ("", "-1", "604801", "a day")]

    assert {page.status_code for page in tried} == {400}
    assert all('class="wrong"' in page.text for page in tried)
    assert (await stored(browser, alice, key["id"]))["last4"] == key["last4"]


async def test_a_key_is_disabled_enabled_and_revoked(browser: AsyncClient, alice: Person) -> None:
    key = await create(browser, alice)
    for action, notice, taken in (("disable", "is disabled", False), ("enable", "is enabled", True)):
        done = await send(browser, f"/keys/{key['id']}/{action}")
        assert notice in (await browser.get(done.headers["location"])).text
        assert await is_taken(browser, key["key"]) is taken
    revoked = await send(browser, f"/keys/{key['id']}/revoke")

    assert revoked.headers["location"] == "/keys?done=revoked"
    page = (await browser.get("/keys?done=revoked")).text
    assert "is revoked" in page
    assert key["id"] not in page
    assert not await is_taken(browser, key["key"])
    assert (await browser.get(f"/keys/{key['id']}")).status_code == 404


async def test_all_keys_are_disabled_with_one_button_those_of_others_are_not(
    browser: AsyncClient, alice: Person, charlie: Person
) -> None:
    done = await send(browser, "/keys/disable-all")
    page = (await browser.get(done.headers["location"])).text

    assert page.count(">disabled<") == 2
    taken = [await is_taken(browser, key) for key in (alice.key, alice.test_key, charlie.key)]
    assert taken == [False, False, True]


async def test_without_a_living_key_the_page_says_what_keys_are_for_and_offers_one(
    browser: AsyncClient, services: Services
) -> None:
    await services.database.statement("update api_keys set revoked_at = now()", {})
    page = (await browser.get("/keys")).text

    assert "Your keys will stand here." in page
    assert '<details class="disclosure" open>' in page
    assert "Disable all" not in page


ACTIONS = ("", "/rotate", "/disable", "/enable", "/revoke")


async def test_another_accounts_key_is_404_and_stays_as_it_is(
    browser: AsyncClient, alice: Person, charlie: Person
) -> None:
    key = await create(browser, charlie, name="hers")
    answers = [
        await browser.get(f"/keys/{key['id']}"),
        *[
            await send(browser, f"/keys/{key['id']}{action}", **PLAIN, overlap_seconds="0")
            for action in ACTIONS
        ],
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert all("There is no such API key." in answer.text for answer in answers)
    assert await stored(browser, charlie, key["id"]) == {
        name: value for name, value in key.items() if name != "key"
    }


async def test_a_form_without_its_token_changes_nothing(browser: AsyncClient, alice: Person) -> None:
    key = await create(browser, alice)
    paths = ["/keys", "/keys/disable-all", *[f"/keys/{key['id']}{action}" for action in ACTIONS]]
    answers = [await browser.post(path, data=PLAIN, headers=FROM_OURS) for path in paths]

    assert {answer.status_code for answer in answers} == {403}
    assert all("stale_form" in answer.text for answer in answers)
    assert await is_taken(browser, key["key"])
    assert (await newest(browser, alice))["id"] == key["id"]


async def test_a_hostile_name_is_shown_as_text(browser: AsyncClient) -> None:
    name = '"><script>alert(1)</script>'
    await send(browser, "/keys", **{**PLAIN, "name": name})
    page = (await browser.get("/keys")).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
