import re

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from nanobanana.web.dashboard.devices import device_name
from tests.people import PASSWORD, Person
from tests.web.browser import log_in, press


async def other_session(client: AsyncClient, person: Person, user_agent: str = "") -> tuple[str, str]:
    """Its id and token."""
    login = {"email": person.email, "password": PASSWORD}
    headers = {"User-Agent": user_agent}
    token = (await client.post("/v1/auth/login", json=login, headers=headers)).json()["access_token"]
    by_token = {"Authorization": f"Bearer {token}"}
    listed = (await client.get("/v1/account/sessions", headers=by_token)).json()["data"]
    return next(session["id"] for session in listed if session["current"]), token


def ends_of(text: str) -> list[str]:
    return re.findall(r'action="/account/sessions/(\w+)/end"', text)


async def test_it_lists_the_sessions_and_marks_this_one(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    id, _ = await other_session(client, alice, firefox)
    await log_in(client, alice.email)
    page = (await client.get("/account")).text

    assert alice.email in page
    assert "Firefox on Linux" in page
    assert len(ends_of(page)) == 3  # with the one of signing up
    assert page.count("this session") == 1
    assert page.index("this session") < page.index(id)


async def test_one_session_can_be_ended_and_the_others_live_on(client: AsyncClient, alice: Person) -> None:
    id, token = await other_session(client, alice)
    await log_in(client, alice.email)
    ended = await press(client, f"/account/sessions/{id}/end")

    assert (ended.status_code, ended.headers["location"]) == (303, "/account")
    by_token = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/v1/account", headers=by_token)).status_code == 401
    assert len(ends_of((await client.get("/account")).text)) == 2


async def test_ending_this_session_is_a_logout(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    this, _ = ends_of((await client.get("/account")).text)
    await press(client, f"/account/sessions/{this}/end")

    assert (await client.get("/account")).headers["location"] == "/login?next=%2Faccount"


async def test_somebody_elses_session_is_404_on_a_page(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    id, token = await other_session(client, alice)
    await log_in(client, charlie.email)
    tried = [await press(client, f"/account/sessions/{one}/end") for one in (id, "ses_short", "%00")]

    assert {page.status_code for page in tried} == {404}
    assert "There is no such session." in tried[0].text
    assert {page.headers["content-type"] for page in tried} == {"text/html; charset=utf-8"}
    by_token = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/v1/account", headers=by_token)).status_code == 200


async def test_an_expired_session_leads_to_the_login(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    for what_ends_it in ("expires_at = now()", "last_used_at = now() - interval '14 days 1 hour'"):
        await log_in(client, alice.email)
        assert (await client.get("/account")).status_code == 200
        await services.database.statement(f"update sessions set {what_ends_it}", {})

        assert (await client.get("/account")).headers["location"] == "/login?next=%2Faccount"
        assert (await client.get("/login")).status_code == 200


async def test_a_strange_cookie_leads_to_the_login(client: AsyncClient, alice: Person) -> None:
    for cookie in (alice.key, "", "nb_session_", "nb_session_\x7f", "x" * 4000, '"', "\\000", "\\344"):
        headers = {"Cookie": f'nb_session="{cookie}"'}
        answer = await client.get("/account", headers=headers)

        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Faccount")


async def test_a_hostile_user_agent_is_shown_as_text(client: AsyncClient, alice: Person) -> None:
    await other_session(client, alice, "\"'><script>alert(1)</script>")
    await log_in(client, alice.email)
    page = (await client.get("/account")).text

    assert "<script>" not in page
    assert "&#34;&#39;&gt;&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Mac",
        ),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "Unknown device"),
        (None, "Unknown device"),
    ],
)
def test_a_device_has_the_name_that_people_use(user_agent: str | None, name: str) -> None:
    assert device_name(user_agent) == name
