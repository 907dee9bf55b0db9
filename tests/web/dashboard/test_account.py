import asyncio
import re

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.dashboard.devices import device_name
from tests.people import PASSWORD, Person
from tests.web.browser import FROM_OURS, form_token_of, log_in, press

NEW = "quite another password"
# Shorter than a new one may be: it is told as wrong all the same.
WRONG = "no"


async def send(client: AsyncClient, path: str, **form: str) -> Response:
    """As a form of the account's pages does."""
    token = form_token_of(await client.get("/account"))
    return await client.post(path, data={"form_token": token, **form}, headers=FROM_OURS)


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


async def test_of_thousands_of_sessions_this_one_and_the_newest_are_listed(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    more = """
        insert into sessions (id, account_id, token_hash, expires_at)
        select 'ses_' || lpad((%(from)s + n)::text, 22, 'z'), account_id, sha256((%(from)s + n)::text::bytea), expires_at
        from (select account_id, expires_at from sessions limit 1) one, generate_series(1, %(number)s) n
    """
    await services.database.statement(more, {"from": 0, "number": 48})
    fifty = (await client.get("/account")).text
    await services.database.statement(more, {"from": 1_000, "number": 2_000})
    many = (await client.get("/account")).text

    assert [len(ends_of(page)) for page in (fifty, many)] == [50, 50]
    assert ["older ones" in page for page in (fifty, many)] == [False, True]
    assert "And 2,000 older ones." in many
    assert "this session" in many
    assert len(many) < 60_000


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


async def test_it_says_address_plan_and_since_when(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    before = (await client.get("/account")).text
    await services.database.statement(
        "update accounts set email_verified_at = now(), created_at = '2026-08-03T14:05:00Z'", {}
    )
    after = (await client.get("/account")).text

    assert ">not verified<" in before
    assert ">verified<" in after
    assert ">free<" in after
    assert "3 Aug 2026, 14:05" in after
    assert 'href="/billing"' in after


async def test_a_new_password_ends_all_other_sessions(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    changed = await send(client, "/account/password", current_password=PASSWORD, password=NEW)

    assert (changed.status_code, changed.headers["location"]) == (303, "/account?done=password")
    page = (await client.get("/account?done=password")).text
    assert "All other sessions have ended." in page
    assert len(ends_of(page)) == 1
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 401
    assert (await client.get("/v1/generations", headers=alice.by_key)).status_code == 200
    assert [(await log_in(client, alice.email, word)).status_code for word in (PASSWORD, NEW)] == [401, 303]


async def test_a_new_address_holds_once_its_link_is_opened(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    asked = await send(client, "/account/email", current_password=PASSWORD, email="new@example.com")
    page = (await client.get(asked.headers["location"])).text

    assert (asked.status_code, asked.headers["location"]) == (303, "/account?done=email")
    assert "A link is on its way" in page
    assert alice.email in page
    confirmed = await client.post("/confirm-email", data={"token": await mailed(client)}, headers=FROM_OURS)
    assert confirmed.status_code == 200
    after = (await client.get("/account")).text
    assert "new@example.com" in after
    assert ">verified<" in after


async def mailed(client: AsyncClient) -> str:
    """The token of the link that confirms an address. A job sends it, in a moment."""
    for _ in range(100):
        if tokens := re.findall(r"/confirm-email\?token=([\w-]+)", (await client.get("/dev/mail")).text):
            return tokens[0]
        await asyncio.sleep(0.1)
    raise AssertionError("no mail came")


CHANGES = [
    ("/account/email", {"email": "new@example.com"}),
    ("/account/password", {"password": NEW}),
    ("/account/erase", {}),
]


@pytest.mark.parametrize(("path", "form"), CHANGES)
async def test_a_wrong_password_changes_nothing(
    client: AsyncClient, alice: Person, path: str, form: dict[str, str]
) -> None:
    await log_in(client, alice.email)
    wrong = await send(client, path, current_password=WRONG, **form)
    missing = await send(client, path, **form)
    unsent = await client.post(path, data={"current_password": PASSWORD, **form}, headers=FROM_OURS)

    assert [page.status_code for page in (wrong, missing, unsent)] == [403, 400, 403]
    assert "The current password is wrong." in wrong.text
    assert 'aria-describedby="current_password-hint" aria-invalid="true"' in missing.text
    assert "stale_form" in unsent.text
    for name, value in form.items():
        # What was typed stays, but for passwords.
        assert (f'value="{value}"' in wrong.text) is (name == "email")
    assert (await client.get("/v1/account", headers=alice.by_session)).json()["email"] == alice.email
    assert (await log_in(client, alice.email)).status_code == 303


@pytest.mark.parametrize(
    ("path", "form", "message"),
    [
        ("/account/email", {"email": "no address"}, "An email address must have an @-sign."),
        ("/account/email", {}, "An email address must have an @-sign."),
        ("/account/email", {"email": "ada@mailinator.com"}, "still be yours next year"),
        ("/account/password", {"password": "short"}, "This must have at least 10 characters."),
        ("/account/password", {"password": "x" * 1025}, "This must have at most 1,024 characters."),
        ("/account/password", {"password": "1234567890"}, "among the first that anybody would try"),
    ],
)
async def test_what_cannot_be_is_said_in_words_and_changes_nothing(
    client: AsyncClient, alice: Person, path: str, form: dict[str, str], message: str
) -> None:
    await log_in(client, alice.email)
    refused = await send(client, path, current_password=PASSWORD, **form)

    assert refused.status_code == 400
    assert message in refused.text
    assert "value is not" not in refused.text
    assert (await log_in(client, alice.email)).status_code == 303


async def test_the_download_is_what_the_api_gives(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    await client.post("/v1/generate", json={"prompt": "my banana"}, headers=alice.by_key)
    await log_in(client, alice.email)
    file = await send(client, "/account/export")
    by_cookie = {"Authorization": f"Bearer {client.cookies['nb_session']}"}
    by_api = await client.get("/v1/account/export", headers=by_cookie)
    unsent = await client.post("/account/export", headers=FROM_OURS)

    assert file.headers["content-disposition"] == 'attachment; filename="nanobanana-export.json"'
    assert file.json() == by_api.json()
    assert [made["prompt"] for made in file.json()["generations"]] == ["my banana"]
    assert charlie.email not in file.text
    assert unsent.status_code == 403


async def test_an_erased_account_is_left_by_its_browser_too(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    told = (await client.get("/account/erase")).text
    erased = await send(client, "/account/erase", current_password=PASSWORD)

    assert "What goes" in told
    assert "What stays" in told
    assert erased.status_code == 200
    assert "Your account is erased" in erased.text
    assert "Log out" not in erased.text
    assert "nb_session" not in client.cookies
    assert (await client.get("/account")).headers["location"] == "/login?next=%2Faccount"
    assert (await client.get("/v1/generations", headers=alice.by_key)).status_code == 401
    assert (await log_in(client, alice.email)).status_code == 401


@pytest.mark.usefixtures("patience_with_redis")
class TestThrottle:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"throttle_scale": 1})

    async def test_whoever_has_the_session_guesses_its_password_ten_times_on_all_pages_together(
        self, client: AsyncClient, alice: Person
    ) -> None:
        await log_in(client, alice.email)
        tried = [
            await send(client, path, current_password=WRONG, **form) for path, form in (CHANGES * 4)[:10]
        ]
        # The right one does not get through either.
        refused = [await send(client, path, current_password=PASSWORD, **form) for path, form in CHANGES]

        assert {page.status_code for page in tried} == {403}
        assert {page.status_code for page in refused} == {429}
        assert all(int(page.headers["retry-after"]) > 0 for page in refused)
        assert 'value="new@example.com"' in refused[0].text

    async def test_ten_downloads_an_hour_here_and_by_the_api_together(
        self, client: AsyncClient, alice: Person
    ) -> None:
        await log_in(client, alice.email)
        by_api = await client.get("/v1/account/export", headers=alice.by_session)
        downloads = [await send(client, "/account/export") for _ in range(10)]

        assert by_api.status_code == 200
        assert [file.status_code for file in downloads] == [200] * 9 + [429]
        assert "Where you are logged in" in downloads[-1].text


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
