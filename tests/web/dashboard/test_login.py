import re
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from nanobanana.settings import Settings
from tests.people import PASSWORD, Person
from tests.web.browser import log_in, press


async def test_a_login_leads_to_the_account(client: AsyncClient, alice: Person) -> None:
    page = await client.get("/login")
    logged_in = await log_in(client, alice.email)

    assert page.status_code == 200
    assert (logged_in.status_code, logged_in.headers["location"]) == (303, "/dashboard")
    assert logged_in.headers["cache-control"] == "no-store"
    assert alice.email in (await client.get("/account")).text


async def test_a_wrong_password_and_an_unknown_address_look_the_same(
    client: AsyncClient, alice: Person
) -> None:
    tried = [
        await log_in(client, alice.email, "wrong password"),
        await log_in(client, "nobody@example.com", "wrong password"),
        await log_in(client, "no address", "wrong password"),
        await log_in(client, "nul@example.com\0", "wrong password"),
        await log_in(client, alice.email, "short"),
        await log_in(client, alice.email, ""),
        await log_in(client, "", ""),
    ]

    assert {page.status_code for page in tried} == {401}
    assert len({re.sub(r' (value="[^"]*"|autofocus)', "", page.text) for page in tried}) == 1
    assert "set-cookie" not in tried[0].headers


async def test_a_login_leads_back_to_a_path_of_ours_and_nowhere_else(
    client: AsyncClient, alice: Person
) -> None:
    ours = ["/", "/account?a=1&b=%2F"]
    foreign = ["//evil.example", "/\\evil.example", "https://evil.example", "\\\\evil.example"]
    foreign += ["/\t/evil.example", "javascript:alert(1)", "/account\r\nSet-Cookie: a=b", "/\u00e4", ""]
    for path, leads_to in [*((path, path) for path in ours), *((path, "/dashboard") for path in foreign)]:
        client.cookies.clear()
        shown = await client.get("/login", params={"next": path})
        logged_in = await log_in(client, alice.email, next=path)
        already = await client.get("/login", params={"next": path})

        assert f'name="next" value="{leads_to.replace("&", "&amp;")}"' in shown.text
        assert (logged_in.status_code, logged_in.headers["location"]) == (303, leads_to)
        assert (already.status_code, already.headers["location"]) == (303, leads_to)


async def test_who_is_not_logged_in_comes_back_after_the_login(client: AsyncClient, alice: Person) -> None:
    sent_away = await client.get("/account?page=2&x=%26")
    page = await client.get(sent_away.headers["location"])
    (next,) = re.findall(r'name="next" value="([^"]*)"', page.text)

    assert sent_away.status_code == 303
    assert next == "/account?page=2&amp;x=%26"


async def test_a_new_login_ends_the_session_of_the_old_cookie(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    await log_in(client, charlie.email)
    old = client.cookies["nb_session"]
    await log_in(client, alice.email, "wrong password")
    assert charlie.email in (await client.get("/account")).text
    await log_in(client, alice.email)

    assert alice.email in (await client.get("/account")).text
    client.cookies.clear()
    assert (await client.get("/account", headers={"Cookie": f"nb_session={old}"})).status_code == 303


async def test_a_session_that_is_planted_before_the_login_is_not_the_one_after_it(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    planted = {"Cookie": f"nb_session={charlie.token}", "Origin": "http://nanobanana.test"}
    await client.post("/login", data={"email": alice.email, "password": PASSWORD}, headers=planted)

    assert alice.email in (await client.get("/account")).text
    assert (await client.get("/v1/account", headers=charlie.by_session)).status_code == 401


async def test_a_logout_ends_the_session_and_takes_the_cookie_back(
    client: AsyncClient, alice: Person
) -> None:
    await log_in(client, alice.email)
    token = client.cookies["nb_session"]
    logged_out = await press(client, "/logout")

    assert (logged_out.status_code, logged_out.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in logged_out.headers["set-cookie"]
    assert "nb_session" not in client.cookies
    by_token = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/v1/account", headers=by_token)).status_code == 401


async def test_the_page_repeats_an_address_as_text(client: AsyncClient) -> None:
    page = await log_in(client, '"><script>alert(1)</script>', "wrong password")

    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_a_login_for_the_page_is_a_session_for_the_api(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    headers = {"Authorization": f"Bearer {client.cookies['nb_session']}"}

    assert (await client.get("/v1/account", headers=headers)).json()["email"] == alice.email


class TestCookie:
    @pytest.fixture
    def public_url(self) -> str | None:
        return None

    @pytest.fixture
    def settings(self, settings: Settings, public_url: str | None) -> Settings:
        return settings.model_copy(update={"public_url": public_url})

    @pytest.fixture
    async def client(self, app: FastAPI, public_url: str | None) -> AsyncIterator[AsyncClient]:
        base_url = public_url or "http://nanobanana.test"
        async with AsyncClient(transport=ASGITransport(app), base_url=base_url) as client:
            yield client

    @pytest.mark.parametrize("public_url", [None, "http://raspberrypi.local:8000"])
    async def test_over_http_it_is_plain(self, client: AsyncClient, alice: Person) -> None:
        cookie = (await log_in(client, alice.email)).headers["set-cookie"]

        name_and_token, *attributes = cookie.split("; ")
        assert re.fullmatch(r"nb_session=nb_session_[\w-]{43}", name_and_token)
        assert set(attributes) == {"HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=lax"}
        assert (await client.get("/account")).status_code == 200

    @pytest.mark.parametrize("public_url", ["https://nanobanana.test"])
    async def test_over_https_it_is_secure_and_of_this_host_alone(
        self, client: AsyncClient, alice: Person
    ) -> None:
        cookie = (await log_in(client, alice.email)).headers["set-cookie"]

        name_and_token, *attributes = cookie.split("; ")
        assert re.fullmatch(r"__Host-nb_session=nb_session_[\w-]{43}", name_and_token)
        assert set(attributes) == {"HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=lax", "Secure"}
        assert (await client.get("/account")).status_code == 200

    @pytest.mark.parametrize("public_url", ["https://nanobanana.test"])
    async def test_over_https_the_plain_one_is_not_read(self, client: AsyncClient, alice: Person) -> None:
        client.cookies.set("nb_session", alice.token)

        assert (await client.get("/account")).status_code == 303


@pytest.mark.usefixtures("patience_with_redis")
class TestThrottle:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"throttle_scale": 1})

    async def test_the_page_says_when_to_try_again(self, client: AsyncClient) -> None:
        tried = [await log_in(client, f"u{i}@example.com", "wrong password") for i in range(11)]

        assert [page.status_code for page in tried] == [401] * 10 + [429]
        wait = tried[-1].headers["retry-after"]
        assert 50 <= int(wait) <= 60
        assert f"Try again in {wait} seconds." in tried[-1].text
        assert 'value="u10@example.com"' in tried[-1].text

    async def test_it_is_one_with_the_apis(self, client: AsyncClient) -> None:
        credentials = {"email": "u@example.com", "password": PASSWORD}
        for _ in range(10):
            await client.post("/v1/auth/login", json=credentials)

        assert (await log_in(client, "u@example.com")).status_code == 429
