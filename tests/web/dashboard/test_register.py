"""Registration on pages: without mail, and with it."""

import html
import re
from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient, Response
from pydantic import SecretStr

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.api.mail.server import MailServer, code_of, link_of, running_mail_server
from tests.people import PASSWORD, Person
from tests.web.browser import FROM_OURS, log_in

ADA = "ada@example.com"
WISH = {"email": ADA, "password": PASSWORD, "terms": "yes"}


async def post(client: AsyncClient, path: str, **form: str) -> Response:
    return await client.post(path, data=form, headers=FROM_OURS)


async def register(client: AsyncClient, **changes: str) -> Response:
    return await post(client, "/register", **{**WISH, **changes})


def keys_of(page: Response) -> dict[str, str]:
    return dict(re.findall(r'<code id="(live|test)-key">(nb_\w+)</code>', page.text))


async def test_an_account_is_there_at_once_with_its_keys_and_a_session(
    client: AsyncClient, services: Services
) -> None:
    welcome = await register(client)
    keys = keys_of(welcome)

    assert welcome.status_code == 200
    assert welcome.headers["cache-control"] == "no-store"
    assert keys["live"].startswith("nb_live_")
    assert keys["test"].startswith("nb_test_")
    assert f"Authorization: Bearer {keys['live']}" in html.unescape(welcome.text)
    assert "Log out" in welcome.text
    assert ADA in (await client.get("/account")).text
    for key in keys.values():
        answer = await client.get("/v1/generations", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
    assert services.settings.verifies_addresses is False


async def test_a_taken_address_is_told_so_and_what_was_typed_stays_but_for_the_password(
    client: AsyncClient, alice: Person
) -> None:
    taken = await register(client, email=alice.email)

    assert taken.status_code == 409
    assert "Log in instead" in taken.text
    assert f'value="{alice.email}"' in taken.text
    assert PASSWORD not in taken.text
    assert "set-cookie" not in taken.headers


async def test_all_that_is_wrong_is_told_at_once_at_its_field(client: AsyncClient) -> None:
    wrong = await post(client, "/register", email="no address", password="x" * 9)
    empty = await post(client, "/register")

    assert (wrong.status_code, empty.status_code) == (400, 400)
    assert wrong.text.count('aria-invalid="true"') == empty.text.count('aria-invalid="true"') == 3
    assert "18 and older" in wrong.text
    assert 'value="no address"' in wrong.text
    for form in (
        {"password": "x y z " * 171},
        {"password": "0123456789"},
        {"email": "a@mailinator.com"},
        {"terms": "no"},
    ):
        assert (await register(client, **form)).status_code == 400
    assert (await register(client, password="a b c d ef")).status_code == 200


async def test_what_another_site_sends_makes_no_account(client: AsyncClient) -> None:
    for path in ("/register", "/register/again", "/register/code", "/forgot-password"):
        foreign = await client.post(path, data=WISH, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
    assert (await log_in(client, ADA)).status_code == 401


async def test_who_is_logged_in_has_no_need_of_it(client: AsyncClient, alice: Person) -> None:
    assert 'href="/docs/terms"' in (await client.get("/register")).text
    await log_in(client, alice.email)
    for path in ("/register", "/login"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


async def test_registering_ends_the_session_that_the_browser_had(client: AsyncClient, alice: Person) -> None:
    await client.post("/register", data=WISH, headers={**FROM_OURS, "Cookie": f"nb_session={alice.token}"})

    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 401


@pytest.mark.usefixtures("patience_with_redis")
class TestThrottle:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"throttle_scale": 1})

    async def test_pages_and_the_api_share_five_registrations_an_hour_of_an_address_of_mail(
        self, client: AsyncClient
    ) -> None:
        json = {"email": ADA, "password": PASSWORD}
        first = [(await client.post("/v1/auth/register", json=json)).status_code for _ in range(2)]
        tried = [await register(client) for _ in range(4)]

        assert first == [201, 409]
        assert [page.status_code for page in tried] == [409, 409, 409, 429]
        assert "Try again in" in tried[-1].text
        assert f'value="{ADA}"' in tried[-1].text

    async def test_ten_codes_in_a_quarter_of_an_hour_and_three_links_an_hour(
        self, client: AsyncClient
    ) -> None:
        codes = [await post(client, "/register/code", email=ADA, code="000000") for _ in range(11)]
        links = [await post(client, "/forgot-password", email=ADA) for _ in range(4)]
        again = [await post(client, "/register/again", email=ADA) for _ in range(6)]

        assert [page.status_code for page in codes] == [400] * 10 + [429]
        assert [page.status_code for page in links] == [200] * 3 + [429]
        assert [page.status_code for page in again] == [200] * 5 + [429]


class TestWithMail:
    @pytest.fixture
    async def mail_server(self) -> AsyncIterator[MailServer]:
        async with running_mail_server() as server:
            yield server

    @pytest.fixture
    def settings(self, settings: Settings, mail_server: MailServer) -> Settings:
        mail = {"smtp_url": SecretStr(mail_server.url), "mail_from": "NanoBanana <hello@example.com>"}
        return settings.model_copy(update=mail)

    async def test_the_code_of_the_mail_brings_the_keys_once(
        self, client: AsyncClient, mail_server: MailServer
    ) -> None:
        asked = await register(client)
        code = code_of(await mail_server.mail())
        welcome = await post(client, "/register/code", email=ADA, code=f" {code[:3]} {code[3:]}")
        again = await post(client, "/register/code", email=ADA, code=code)

        assert asked.status_code == 200
        assert 'autocomplete="one-time-code"' in asked.text
        assert "set-cookie" not in asked.headers
        assert set(keys_of(welcome)) == {"live", "test"}
        assert ADA in (await client.get("/account")).text
        assert again.status_code == 400

    async def test_every_address_is_answered_alike(
        self, client: AsyncClient, mail_server: MailServer
    ) -> None:
        await register(client)
        await post(client, "/register/code", email=ADA, code=code_of(await mail_server.mail()))
        client.cookies.clear()
        known, unknown = await register(client), await register(client, email="eve@example.com")
        more = [await post(client, "/register/again", email=email) for email in (ADA, "nobody@example.com")]

        assert known.text == unknown.text.replace("eve@example.com", ADA)
        assert more[0].text == more[1].text.replace("nobody@example.com", ADA)
        assert {page.status_code for page in (known, unknown, *more)} == {200}

    async def test_five_wrong_codes_end_one_and_a_new_one_can_be_sent(
        self, client: AsyncClient, mail_server: MailServer
    ) -> None:
        await register(client)
        code = code_of(await mail_server.mail())
        wrong = "000001" if code != "000001" else "000002"
        tried = [await post(client, "/register/code", email=ADA, code=wrong) for _ in range(5)]
        used_up = await post(client, "/register/code", email=ADA, code=code)
        sent = await post(client, "/register/again", email=ADA)
        mail = await mail_server.mail()
        old = await post(client, "/register/code", email=ADA, code=code)

        assert {page.status_code for page in (*tried, used_up)} == {400}
        assert "wrong, expired or used up" in used_up.text
        assert f'name="email" value="{ADA}"' in used_up.text
        assert "a new one is on its way" in sent.text
        if code_of(mail) != code:
            assert old.status_code == 400
        assert keys_of(await post(client, "/register/code", email=ADA, code=code_of(mail)))

    async def test_an_expired_code_is_refused_and_no_code_at_all_too(
        self, client: AsyncClient, mail_server: MailServer, services: Services
    ) -> None:
        await register(client)
        code = code_of(await mail_server.mail())
        for form in ({"code": "12345"}, {"code": "1234567"}, {"code": "abcdef"}, {}):
            answer = await post(client, "/register/code", email=ADA, **form)
            assert answer.status_code == 400
            assert 'aria-invalid="true"' in answer.text
        await services.database.statement("update registrations set code_expires_at = now()", {})

        assert (await post(client, "/register/code", email=ADA, code=code)).status_code == 400

    async def test_the_link_of_the_mail_leads_to_the_same_welcome(
        self, client: AsyncClient, mail_server: MailServer
    ) -> None:
        await register(client)
        token = link_of(await mail_server.mail()).partition("token=")[2]
        welcome = await post(client, "/verify-email", token=token)

        assert set(keys_of(welcome)) == {"live", "test"}
        assert "Waiting for your first call" in welcome.text

    async def test_nothing_is_sent_again_to_whoever_did_not_begin(
        self, client: AsyncClient, mail_server: MailServer, services: Services
    ) -> None:
        for path, form in (("/register/again", {"email": "nobody@example.com"}), ("/register", WISH)):
            await post(client, path, **form)
        assert (await mail_server.mail())["To"] == ADA
        await services.database.statement("update registrations set expires_at = now()", {})
        await post(client, "/register/again", email=ADA)
        await register(client, email="eve@example.com")

        assert (await mail_server.mail())["To"] == "eve@example.com"
        assert (await post(client, "/register/again", email="no address")).status_code == 400

    async def test_a_forgotten_password_is_asked_for_the_same_way_by_everybody(
        self, client: AsyncClient, mail_server: MailServer
    ) -> None:
        await register(client)
        await post(client, "/register/code", email=ADA, code=code_of(await mail_server.mail()))
        client.cookies.clear()
        login = await client.get("/login")
        known, unknown = [
            await post(client, "/forgot-password", email=email) for email in (ADA, "nobody@example.com")
        ]
        link = link_of(await mail_server.mail())
        wrong = await post(client, "/forgot-password", email="no address")

        assert 'href="/forgot-password"' in login.text
        assert known.status_code == 200
        assert known.text == unknown.text
        assert "/reset-password?token=" in link
        assert (wrong.status_code, 'value="no address"' in wrong.text) == (400, True)
