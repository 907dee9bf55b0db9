"""With mail set up an account comes to be, and counts, when its address is verified, for whoever verifies it."""

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.api.mail.conftest import Desk
from tests.api.mail.server import MailServer, code_of, token_of
from tests.people import PASSWORD, Person

THROWAWAY = "ada@mailinator.com"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """One account a day from a subnet, and two from a mailbox."""
    proxies = Settings(trusted_proxies="127.0.0.1").trusted_proxies
    return settings.model_copy(
        update={"throttle_scale": 1, "trusted_proxies": proxies, "free_accounts_per_subnet_per_day": 1}
    )


async def verify(client: AsyncClient, address: str, **proof: str) -> Response:
    return await client.post("/v1/auth/verify-email", json=proof, headers={"X-Forwarded-For": address})


async def proof_of(desk: Desk, email: str, *, by: str) -> dict[str, str]:
    await desk.register(email)
    mail = await desk.mail_server.mail()
    return {"email": email, "code": code_of(mail)} if by == "code" else {"token": token_of(mail)}


@pytest.mark.parametrize("by", ["code", "link"])
async def test_a_right_proof_that_is_too_many_is_kept_for_another_day(
    client: AsyncClient, desk: Desk, services: Services, by: str
) -> None:
    first = await proof_of(desk, "ada@example.com", by=by)
    second = await proof_of(desk, "bo@example.com", by=by)
    assert (await verify(client, "203.0.113.1", **first)).status_code == 200

    refused = [await verify(client, "203.0.113.2", **second) for _ in range(7)]
    tries = await services.database.statement("select code_tries from registrations", {})
    await services.database.statement(
        "update sign_ups set period_ends_at = period_ends_at - interval '1 day'", {}
    )
    on_another_day = await verify(client, "203.0.113.2", **second)

    assert {response.status_code for response in refused} == {429}
    assert "from this network today" in refused[0].json()["error"]["message"]
    assert tries == [{"code_tries": 0}]
    assert on_another_day.status_code == 200


async def test_wrong_codes_count_as_ever_where_an_account_would_be_too_many(
    client: AsyncClient, alice: Person, desk: Desk
) -> None:
    proof = await proof_of(desk, "bo@example.com", by="code")
    wrong = {**proof, "code": f"{(int(proof['code']) + 1) % 1_000_000:06d}"}

    guesses = [await verify(client, "127.0.0.1", **wrong) for _ in range(5)]
    right = await verify(client, "127.0.0.1", **proof)

    assert [guess.json()["error"]["code"] for guess in guesses] == ["invalid_code"] * 5
    assert right.json()["error"]["code"] == "invalid_code"


async def test_the_page_of_the_link_says_what_was_too_much_and_keeps_the_link(
    client: AsyncClient, alice: Person, desk: Desk
) -> None:
    form = await proof_of(desk, "bo@example.com", by="link")
    ours = {"Sec-Fetch-Site": "same-origin"}
    refused = await client.post("/verify-email", data=form, headers=ours)
    elsewhere = await client.post(
        "/verify-email", data=form, headers={**ours, "X-Forwarded-For": "203.0.113.1"}
    )

    assert (refused.status_code, elsewhere.status_code) == (429, 200)
    assert "Too many new free accounts from this network today." in refused.text


async def test_a_mailbox_gets_two_accounts_a_month_and_registering_tells_nothing_of_it(
    client: AsyncClient, desk: Desk
) -> None:
    spellings = ("ada@gmail.com", "a.da@gmail.com", "ada+x@gmail.com")
    proofs = [await proof_of(desk, email, by="code") for email in spellings]

    verified = [await verify(client, f"203.0.{i}.1", **proof) for i, proof in enumerate(proofs)]

    assert [response.status_code for response in verified] == [200, 200, 429]
    assert "for this mailbox this month" in verified[-1].json()["error"]["message"]


async def test_throwaway_addresses_can_neither_register_nor_be_changed_to(
    client: AsyncClient, alice: Person, mail_server: MailServer
) -> None:
    registered = await client.post("/v1/auth/register", json={"email": THROWAWAY, "password": PASSWORD})
    changed = await client.patch(
        "/v1/account",
        json={"current_password": PASSWORD, "password": "another good password", "email": THROWAWAY},
        headers=alice.by_session,
    )

    for response in (registered, changed):
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["param"]) == (400, "invalid_request", "email")
    assert mail_server.is_empty()
    login = {"email": alice.email, "password": PASSWORD}
    assert (await client.post("/v1/auth/login", json=login)).status_code == 200
