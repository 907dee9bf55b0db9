import asyncio

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.api.mail.conftest import Desk
from tests.api.mail.server import MailServer, code_of, html_of, link_of, text_of, token_of
from tests.people import PASSWORD, Person
from tests.web.browser import FROM_OURS

ADA = "ada@example.com"
AGAIN = {"email": ADA, "password": PASSWORD}


async def verify(client: AsyncClient, **proof: str) -> tuple[int, dict[str, object]]:
    response = await client.post("/v1/auth/verify-email", json=proof)
    return response.status_code, response.json()


async def test_the_code_brings_account_keys_and_session(client: AsyncClient, mail_server: MailServer) -> None:
    begun = await client.post("/v1/auth/register", json=AGAIN)
    code = code_of(await mail_server.mail())
    status, body = await verify(client, email=ADA, code=code)

    assert begun.status_code == 202
    assert (status, body["email"], body["email_verified"]) == (200, ADA, True)
    for headers, path in (
        ({"Authorization": f"Bearer {body['session']['access_token']}"}, "/v1/account"),
        ({"Authorization": f"Bearer {body['api_key']['key']}"}, "/v1/generations"),
        ({"Authorization": f"Bearer {body['test_key']['key']}"}, "/v1/generations"),
    ):
        assert (await client.get(path, headers=headers)).status_code == 200
    assert (await client.post("/v1/auth/login", json=AGAIN)).status_code == 200


async def test_before_the_code_there_is_no_account(client: AsyncClient, desk: Desk) -> None:
    await desk.register(ADA)
    await desk.mail_server.mail()

    assert (await client.post("/v1/auth/login", json=AGAIN)).status_code == 401


async def test_the_mail_has_text_and_html_and_both_hold_code_and_link(desk: Desk) -> None:
    await desk.register(ADA)
    mail = await desk.mail_server.mail()

    assert mail["To"] == ADA
    assert mail["From"] == "NanoBanana <hello@example.com>"
    assert code_of(mail) in html_of(mail)
    assert link_of(mail) in html_of(mail)
    assert link_of(mail).startswith("http://nanobanana.test/verify-email?token=")
    assert code_of(mail) not in mail["Subject"]


async def test_known_and_unknown_addresses_are_answered_alike(
    client: AsyncClient, alice: Person, mail_server: MailServer
) -> None:
    known = await client.post("/v1/auth/register", json={**AGAIN, "email": alice.email})
    unknown = await client.post("/v1/auth/register", json=AGAIN)

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    differing = {"x-request-id"}
    assert {n: v for n, v in known.headers.items() if n not in differing} == {
        n: v for n, v in unknown.headers.items() if n not in differing
    }


async def test_whoever_has_an_account_is_told_that_somebody_registered(
    client: AsyncClient, alice: Person, desk: Desk
) -> None:
    await desk.register("ALICE@example.com", "another good password")
    mail = await desk.mail_server.mail()

    assert mail["To"] == alice.email
    assert "already" in mail["Subject"]
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 200
    login = {"email": alice.email, "password": PASSWORD}
    assert (await client.post("/v1/auth/login", json=login)).status_code == 200


async def test_four_wrong_codes_leave_the_code_and_five_end_it(client: AsyncClient, desk: Desk) -> None:
    for email, wrong in (("four@example.com", 4), ("five@example.com", 5)):
        await desk.register(email)
        code = code_of(await desk.mail_server.mail())
        other = f"{(int(code) + 1) % 1_000_000:06d}"
        for _ in range(wrong):
            status, body = await verify(client, email=email, code=other)
            assert (status, body["error"]["code"]) == (400, "invalid_code")
        status, _ = await verify(client, email=email, code=code)
        assert status == (200 if wrong == 4 else 400)


async def test_fifty_guesses_at_once_are_five(client: AsyncClient, desk: Desk, services: Services) -> None:
    await desk.register(ADA)
    code = int(code_of(await desk.mail_server.mail()))
    guesses = [f"{(code + 1 + step) % 1_000_000:06d}" for step in range(50)]

    await asyncio.gather(*(verify(client, email=ADA, code=guess) for guess in guesses))

    rows = await services.database.statement("select code_tries from registrations", {})
    assert rows == [{"code_tries": 5}]


@pytest.mark.parametrize("by", ["code", "link"])
async def test_of_fifty_who_verify_at_once_one_gets_the_keys(
    client: AsyncClient, desk: Desk, services: Services, by: str
) -> None:
    await desk.register(ADA)
    mail = await desk.mail_server.mail()
    proof = {"email": ADA, "code": code_of(mail)} if by == "code" else {"token": token_of(mail)}

    statuses = [status for status, _ in await asyncio.gather(*(verify(client, **proof) for _ in range(50)))]

    assert sorted(statuses) == [200] + [400] * 49
    counts = "select (select count(*) from accounts) accounts, (select count(*) from api_keys) keys, (select count(*) from sessions) sessions"
    assert await services.database.statement(counts, {}) == [{"accounts": 1, "keys": 2, "sessions": 1}]


async def test_registering_again_ends_the_earlier_code_and_link_and_takes_the_new_password(
    client: AsyncClient, desk: Desk
) -> None:
    await desk.register(ADA, "the first password")
    first = await desk.mail_server.mail()
    await desk.register(ADA.upper(), "the second password")
    second = await desk.mail_server.mail()

    assert (await verify(client, token=token_of(first)))[0] == 400
    assert (await verify(client, token=token_of(second)))[0] == 200
    for password, status in (("the first password", 401), ("the second password", 200)):
        login = {"email": ADA, "password": password}
        assert (await client.post("/v1/auth/login", json=login)).status_code == status


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (16, 400)])
async def test_a_code_lives_15_minutes(
    client: AsyncClient, desk: Desk, services: Services, minutes: int, status: int
) -> None:
    await desk.register(ADA)
    code = code_of(await desk.mail_server.mail())
    later = "update registrations set code_expires_at = code_expires_at - make_interval(mins => %(minutes)s)"
    await services.database.statement(later, {"minutes": minutes})

    assert (await verify(client, email=ADA, code=code))[0] == status


@pytest.mark.parametrize(("hours", "status"), [(23, 200), (25, 400)])
async def test_a_link_lives_24_hours(
    client: AsyncClient, desk: Desk, services: Services, hours: int, status: int
) -> None:
    await desk.register(ADA)
    token = token_of(await desk.mail_server.mail())
    later = "update registrations set expires_at = expires_at - make_interval(hours => %(hours)s)"
    await services.database.statement(later, {"hours": hours})

    assert (await verify(client, token=token))[0] == status


async def test_a_guessed_code_for_an_address_without_registration_is_refused_alike(
    client: AsyncClient, alice: Person, desk: Desk
) -> None:
    await desk.register(ADA)
    code = code_of(await desk.mail_server.mail())
    answers = [
        await verify(client, email=email, code="000001" if code != "000001" else "000002")
        for email in (ADA, alice.email, "nobody@example.com")
    ]

    for _, body in answers:
        del body["error"]["request_id"]
    assert answers[0] == answers[1] == answers[2]


async def test_opening_the_link_shows_a_button_and_only_the_button_uses_it(
    client: AsyncClient, desk: Desk
) -> None:
    await desk.register(ADA)
    mail = await desk.mail_server.mail()
    opened = [await client.get(link_of(mail)) for _ in range(3)]
    form = {"token": token_of(mail)}
    foreign = await client.post("/verify-email", data=form, headers={"Origin": "https://evil.example"})
    pressed = await client.post("/verify-email", data=form, headers=FROM_OURS)
    again = await client.post("/verify-email", data=form, headers=FROM_OURS)

    assert {page.status_code for page in opened} == {200}
    assert 'action="/verify-email"' in opened[0].text
    assert foreign.status_code == 403
    assert (pressed.status_code, again.status_code) == (200, 400)
    assert "nb_live_" in pressed.text
    assert ADA in (await client.get("/account")).text
    assert "nb_live_" not in again.text


async def test_the_button_ends_the_session_that_the_browser_had_before(
    client: AsyncClient, desk: Desk, alice: Person
) -> None:
    await desk.register(ADA)
    before = {**FROM_OURS, "Cookie": f"nb_session={alice.token}"}
    form = {"token": token_of(await desk.mail_server.mail())}
    await client.post("/verify-email", data=form, headers=before)

    assert ADA in (await client.get("/account")).text
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 401


async def test_a_link_page_repeats_nothing_as_markup(client: AsyncClient) -> None:
    page = await client.get("/verify-email", params={"token": '"><script>alert(1)</script>'})

    assert "<script>" not in page.text


async def test_an_address_beyond_ascii_is_one_in_all_its_spellings(client: AsyncClient, desk: Desk) -> None:
    await desk.register("ada@b\u00fccher.example.com")
    mail = await desk.mail_server.mail()
    assert mail["To"] == "ada@xn--bcher-kva.example.com"
    status, _ = await verify(client, email="ADA@BU\u0308CHER.example.com", code=code_of(mail))
    assert status == 200

    login = {"email": "ada@xn--bcher-kva.example.com", "password": PASSWORD}
    assert (await client.post("/v1/auth/login", json=login)).status_code == 200
    await desk.register("Ada@xn--bcher-kva.example.com")
    assert "already" in text_of(await desk.mail_server.mail())
