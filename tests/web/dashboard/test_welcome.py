"""The place where the first image of a new account turns up."""

import re

from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person
from tests.web.browser import log_in

HTMX = {"HX-Request": "true"}
WATCH = "/welcome/first-image"


async def order(client: AsyncClient, headers: dict[str, str], prompt: str = "a banana") -> dict[str, object]:
    return (await client.post("/v1/generate", json={"prompt": prompt}, headers=headers)).json()


async def test_it_shows_the_first_image_as_soon_as_it_is_made_and_asks_no_more(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    await order(client, charlie.by_key)
    await log_in(client, alice.email)
    nothing = await client.get(WATCH, headers=HTMX)
    made = await order(client, alice.by_key, "a banana <b>")
    there = await client.get(WATCH, headers=HTMX)

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert nothing.headers["cache-control"] == "no-store"
    assert "<html" not in there.text
    assert "Your first image" in there.text
    assert "a banana &lt;b&gt;" in there.text
    assert str(made["id"]) in there.text
    assert "1 image" in there.text
    assert "hx-trigger" not in there.text
    (picture,) = re.findall(r'<img src="([^"]+)"', there.text)
    assert (await client.get(picture)).headers["content-type"] == "image/webp"


async def test_what_became_no_picture_is_told_and_the_next_call_waited_for(
    client: AsyncClient, alice: Person
) -> None:
    await log_in(client, alice.email)
    await order(client, alice.by_test_key, "a banana [test:content_policy]")
    refused = (await client.get(WATCH, headers=HTMX)).text

    assert "Refused" in refused
    assert 'hx-trigger="every 2s"' in refused
    await order(client, alice.by_test_key)
    assert "Free: a test image" in (await client.get(WATCH, headers=HTMX)).text


async def test_after_ten_minutes_nobody_asks_any_more(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    move = "update accounts set created_at = now() - make_interval(secs => %(s)s)"
    await services.database.statement(move, {"s": 590})
    assert (await client.get(WATCH, headers=HTMX)).status_code == 204
    await services.database.statement(move, {"s": 601})
    ended = await client.get(WATCH, headers=HTMX)

    assert "No call yet" in ended.text
    assert "hx-trigger" not in ended.text


async def test_without_a_script_and_without_a_session_it_leads_elsewhere(
    client: AsyncClient, alice: Person
) -> None:
    anonymous = await client.get(WATCH, headers=HTMX)
    await log_in(client, alice.email)
    by_hand = [await client.get(path) for path in (WATCH, "/welcome")]

    assert anonymous.headers["location"].startswith("/login?")
    assert {(page.status_code, page.headers["location"]) for page in by_hand} == {(303, "/dashboard")}
