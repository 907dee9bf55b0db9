"""Forms come from pages of ours, and from a page of the very session that sends them."""

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr

from nanobanana.app import create_app
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.dashboard.forms import form_token
from tests.people import Person
from tests.web.browser import FROM_OURS, form_token_of, log_in

FORM = {"email": "ada@example.com", "password": "no"}
OURS = "http://nanobanana.test"
FOREIGN = "https://evil.example"

# What a browser says about where the form stood, and whether that is here.
SAID = [
    ({}, False),
    ({"Origin": OURS}, True),
    ({"Origin": FOREIGN}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "nanobanana.test"}, False),
    ({"Origin": "http://nanobanana.test.evil.example"}, False),
    ({"Origin": "http://nanobanana.test:8000"}, False),
    ({"Origin": "http://["}, False),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": OURS}, False),
    ({"Sec-Fetch-Site": "same-site", "Origin": OURS}, False),
    ({"Referer": f"{OURS}/login"}, False),
]


async def test_a_form_is_taken_from_our_own_page_alone(client: AsyncClient) -> None:
    answers = [await client.post("/login", data=FORM, headers=said) for said, _ in SAID]

    taken = ["cross_site_request" not in answer.text for answer in answers]
    assert list(zip(SAID, taken, strict=True)) == [((said, ours), ours) for said, ours in SAID]
    assert [answer.status_code for answer in answers] == [401 if ours else 403 for ours in taken]


async def test_a_foreign_form_is_refused_whatever_session_and_token(
    client: AsyncClient, alice: Person
) -> None:
    await log_in(client, alice.email)
    form = {"form_token": form_token_of(await client.get("/account"))}
    refused = await client.post("/logout", data=form, headers={"Origin": FOREIGN})

    assert refused.status_code == 403
    assert (await client.get("/account")).status_code == 200


class TestWithPublicUrl:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://pictures.example"})

    async def test_only_its_origin_is_ours(self, client: AsyncClient) -> None:
        origins = {
            "https://pictures.example": 401,
            "https://pictures.example:443": 401,
            "https://pictures.example:8443": 403,
            "http://pictures.example": 403,
            OURS: 403,  # the Host that a proxy asks us for is not where people are
            "https://[": 403,
            "null": 403,
        }
        answers = {
            origin: await client.post("/login", data=FORM, headers={"Origin": origin}) for origin in origins
        }

        assert {origin: answer.status_code for origin, answer in answers.items()} == origins
        assert "Open the page at https://pictures.example and" in answers[OURS].text


async def test_a_form_without_the_token_of_its_session_is_refused(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    await log_in(client, charlie.email)
    charlies = form_token_of(await client.get("/account"))
    client.cookies.clear()
    await log_in(client, alice.email)
    alices = form_token_of(await client.get("/account"))
    unkeyed = form_token(alices, "another secret")
    refused = [
        await client.post("/logout", data={"form_token": token}, headers=FROM_OURS)
        for token in ("", charlies, unkeyed, alices[:-1], alices + "0", "\u00e4", "\0")
    ]
    missing = await client.post("/logout", headers=FROM_OURS)

    assert {page.status_code for page in (*refused, missing)} == {403}
    assert all("stale_form" in page.text and "reload the page" in page.text for page in (*refused, missing))
    assert (await client.get("/account")).status_code == 200


async def test_a_token_ends_with_its_session(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    before = form_token_of(await client.get("/account"))
    await log_in(client, alice.email)
    refused = await client.post("/logout", data={"form_token": before}, headers=FROM_OURS)

    assert refused.status_code == 403


async def test_a_page_from_before_a_new_secret_key_is_still_good(
    client: AsyncClient, alice: Person, app: FastAPI, settings: Settings
) -> None:
    await log_in(client, alice.email)
    token = form_token_of(await client.get("/account"))
    old = settings.secret_key.get_secret_value()
    rotated = create_app(settings.model_copy(update={"secret_key": SecretStr(f"a new one,{old}")}))
    async with (
        rotated.router.lifespan_context(rotated),
        AsyncClient(transport=ASGITransport(rotated), base_url=OURS, cookies=client.cookies) as browser,
    ):
        new_token = form_token_of(await browser.get("/account"))
        sent = await browser.post("/logout", data={"form_token": token}, headers=FROM_OURS)

    assert new_token != token
    assert sent.headers["location"] == "/login"


async def test_a_form_of_somebody_whose_session_is_over_leads_to_the_login(client: AsyncClient) -> None:
    answer = await client.post("/logout", headers=FROM_OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fdashboard")
