import pytest
from argon2 import PasswordHasher
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.conftest import REAL_HASHER
from tests.people import PASSWORD, Person, sign_up

LONG = "wombat " * 146 + "xy"
CREDENTIALS = {"email": "ada@example.com", "password": PASSWORD}


async def test_registering_answers_the_account_with_both_keys_once(client: AsyncClient) -> None:
    response = await client.post("/v1/auth/register", json=CREDENTIALS)

    assert response.status_code == 201
    body = response.json()
    assert body["id"].startswith("usr_")
    assert body["email"] == "ada@example.com"
    assert body["email_verified"] is False
    assert body["api_key"]["key"].startswith("nb_live_")
    assert body["test_key"]["key"].startswith("nb_test_")


async def test_a_taken_address_is_409_whatever_its_case(client: AsyncClient) -> None:
    await client.post("/v1/auth/register", json=CREDENTIALS)

    response = await client.post("/v1/auth/register", json={**CREDENTIALS, "email": "ADA@Example.com"})

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "email_taken"


async def test_a_password_of_10_characters_is_taken_and_one_of_9_refused(client: AsyncClient) -> None:
    short = await client.post("/v1/auth/register", json={**CREDENTIALS, "password": "bananasky"})
    enough = await client.post("/v1/auth/register", json={**CREDENTIALS, "password": "bananasky1"})

    assert (short.status_code, enough.status_code) == (400, 201)
    assert short.json()["error"]["param"] == "password"
    assert "bananasky" not in short.text


async def test_a_password_of_1024_characters_is_taken_and_one_of_1025_refused(client: AsyncClient) -> None:
    long = await client.post("/v1/auth/register", json={**CREDENTIALS, "password": LONG + "x"})
    longest = await client.post("/v1/auth/register", json={**CREDENTIALS, "password": LONG})

    assert (long.status_code, longest.status_code) == (400, 201)


async def test_something_that_is_no_address_is_refused(client: AsyncClient) -> None:
    response = await client.post("/v1/auth/register", json={**CREDENTIALS, "email": "not an address"})

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "email"


async def test_login_gives_a_session_that_works_until_logout(client: AsyncClient, alice: Person) -> None:
    before = await client.get("/v1/keys", headers=alice.by_session)
    ended = await client.post("/v1/auth/logout", headers=alice.by_session)
    after = await client.get("/v1/keys", headers=alice.by_session)

    assert (before.status_code, ended.status_code, after.status_code) == (200, 204, 401)
    assert after.json()["error"]["code"] == "invalid_session"


async def test_wrong_password_and_unknown_address_answer_alike(client: AsyncClient, alice: Person) -> None:
    wrong = await client.post("/v1/auth/login", json={"email": alice.email, "password": "wrong password"})
    unknown = await client.post(
        "/v1/auth/login", json={"email": "nobody@example.com", "password": "wrong password"}
    )

    assert wrong.status_code == unknown.status_code == 401
    for response in (wrong, unknown):
        assert response.json()["error"]["code"] == "invalid_credentials"
    assert wrong.json()["error"]["message"] == unknown.json()["error"]["message"]


async def test_an_expired_session_is_401(client: AsyncClient, alice: Person, services: object) -> None:
    await services.database.statement("update sessions set expires_at = now()", {})

    response = await client.get("/v1/keys", headers=alice.by_session)

    assert response.status_code == 401


@pytest.mark.parametrize("password", ["qwertyuiop", "ada@example.com", "nanobanana1", "aaaaaaaaaaaa"])
async def test_a_password_that_anybody_would_try_is_refused(client: AsyncClient, password: str) -> None:
    response = await client.post("/v1/auth/register", json={**CREDENTIALS, "password": password})

    assert (response.status_code, response.json()["error"]["param"]) == (400, "password")
    assert password not in response.text


async def test_login_hashes_the_password_anew_when_the_cost_has_changed(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nanobanana.domain.accounts.passwords._hasher", REAL_HASHER)
    cheap = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1).hash(PASSWORD)
    await services.database.statement("update accounts set password_hash = %(cheap)s", {"cheap": cheap})
    login = {"email": alice.email, "password": PASSWORD}
    statuses = [(await client.post("/v1/auth/login", json=login)).status_code for _ in range(2)]

    (row,) = await services.database.statement("select password_hash from accounts", {})
    assert statuses == [200, 200]
    assert "m=19456,t=2,p=1" in row["password_hash"]


async def test_who_registers_has_no_balance_whatever_others_have(
    client: AsyncClient, services: Services
) -> None:
    for name in ("alice", "bob"):
        await sign_up(client, f"{name}@example.com")
        await services.billing.credit(email=f"{name}@example.com", micro_usd=1_000_000)

    carol = await sign_up(client, "carol@example.com")

    account = (await client.get("/v1/account", headers=carol.by_session)).json()
    assert (account["email"], account["balance_usd"]) == ("carol@example.com", None)
