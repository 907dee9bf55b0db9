"""Sign-up and login, seen from many addresses behind one trusted proxy."""

import asyncio
from collections import Counter

import pytest
from httpx2 import ASGITransport, AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import PASSWORD, Person

WRONG = "not the password"


@pytest.fixture
def settings(patience_with_redis: None, settings: Settings) -> Settings:
    proxies = Settings(trusted_proxies="127.0.0.1").trusted_proxies
    return settings.model_copy(update={"throttle_scale": 1, "trusted_proxies": proxies})


async def log_in(
    client: AsyncClient, address: str, *, email: str = "nobody@example.com", password: str = WRONG
) -> Response:
    return await client.post(
        "/v1/auth/login",
        json={"email": email, "password": password},
        headers={"X-Forwarded-For": address},
    )


async def sign_up_from(client: AsyncClient, address: str, email: str) -> Response:
    return await client.post(
        "/v1/auth/register",
        json={"email": email, "password": PASSWORD},
        headers={"X-Forwarded-For": address},
    )


async def test_ten_logins_a_minute_from_an_address_whatever_the_account(client: AsyncClient) -> None:
    tried = [await log_in(client, "203.0.113.9", email=f"u{i}@example.com") for i in range(11)]
    neighbour = await log_in(client, "203.0.113.10")

    assert [response.status_code for response in tried] == [401] * 10 + [429]
    assert neighbour.status_code == 401


async def test_a_refusal_says_when_to_come_back(client: AsyncClient) -> None:
    for i in range(10):
        await log_in(client, "203.0.113.9", email=f"u{i}@example.com")

    refused = await log_in(client, "203.0.113.9")

    error, headers = refused.json()["error"], refused.headers
    assert (refused.status_code, error["code"], error["type"]) == (429, "rate_limited", "rate_limit_error")
    assert error["retryable"] is True
    wait = int(headers["retry-after"])
    assert 50 <= wait <= 60
    assert headers["ratelimit-policy"] == '"login_address";q=10;w=60'
    assert headers["ratelimit"] == f'"login_address";r=0;t={wait}'
    assert headers["x-ratelimit-limit-requests"] == "10"
    assert headers["x-ratelimit-remaining-requests"] == "0"


async def test_a_subnet_has_three_addresses_worth_of_logins(client: AsyncClient) -> None:
    tried = [await log_in(client, f"203.0.113.{i}", email=f"u{i % 5}-{i}@example.com") for i in range(31)]

    assert [response.status_code for response in tried] == [401] * 30 + [429]
    assert tried[-1].headers["ratelimit"].startswith('"login_subnet"')


async def test_addresses_of_one_ipv6_network_share_their_subnets_limit(client: AsyncClient) -> None:
    tried = [await log_in(client, f"2001:db8::{i:x}", email=f"u{i}@example.com") for i in range(1, 32)]
    other = await log_in(client, "2001:db8:0:1::1")

    assert (tried[-1].status_code, other.status_code) == (429, 401)


async def test_an_account_is_tried_ten_times_from_a_subnet_however_it_is_spelled(client: AsyncClient) -> None:
    tried = [
        await log_in(client, f"203.0.113.{i}", email="Ada@example.com" if i % 2 else "ADA@EXAMPLE.com")
        for i in range(11)
    ]

    assert [response.status_code for response in tried] == [401] * 10 + [429]
    assert tried[-1].headers["ratelimit"].startswith('"login_account_from_subnet"')


async def test_ten_accounts_an_hour_are_made_from_an_address(client: AsyncClient) -> None:
    made = [await sign_up_from(client, "203.0.113.9", f"u{i}@example.com") for i in range(11)]
    elsewhere = await sign_up_from(client, "198.51.100.7", "ada@example.com")

    assert [response.status_code for response in made] == [201] * 10 + [429]
    assert elsewhere.status_code == 201


async def test_one_address_of_mail_is_registered_five_times_an_hour_from_anywhere(
    client: AsyncClient,
) -> None:
    tried = [await sign_up_from(client, f"203.0.{i}.9", "ada@example.com") for i in range(6)]

    assert [response.status_code for response in tried] == [201] + [409] * 4 + [429]


async def test_spellings_of_one_mailbox_share_its_five_registrations(client: AsyncClient) -> None:
    spellings = ["ada", "a.da", "ad.a", "a.d.a", "ada+1", "ada+2"]
    tried = [
        await sign_up_from(client, f"203.0.{i}.9", f"{spelling}@gmail.com")
        for i, spelling in enumerate(spellings)
    ]

    assert [response.status_code for response in tried] == [201] * 5 + [429]
    assert ["ratelimit" in response.headers for response in tried] == [False] * 5 + [True]


async def test_links_of_different_people_share_no_accounts_limit(client: AsyncClient) -> None:
    tried = [
        await client.post(
            "/v1/auth/verify-email", json={"token": "x"}, headers={"X-Forwarded-For": f"203.0.113.{i}"}
        )
        for i in range(31)
    ]

    assert [response.status_code for response in tried] == [400] * 30 + [429]
    assert tried[-1].headers["ratelimit"].startswith('"verify_email_subnet"')


async def test_who_is_refused_reaches_neither_argon2_nor_the_database(
    client: AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(10):
        await log_in(client, "203.0.113.9", email=f"u{i}@example.com")
    await services.database.close()
    monkeypatch.setattr(services.people.accounts._passwords, "_at_once", None)

    assert (await log_in(client, "203.0.113.9")).status_code == 429
    with pytest.raises(AttributeError):
        await services.people.accounts._passwords.is_right(WRONG, password_hash=None)


async def test_links_that_name_no_account_do_not_count_for_one(client: AsyncClient) -> None:
    tried = [
        await client.post(
            "/v1/auth/verify-email",
            json={"token": f"token{i}"},
            headers={"X-Forwarded-For": f"203.0.113.{i}"},
        )
        for i in range(11)
    ]

    assert {response.status_code for response in tried} == {400}


async def guess(client: AsyncClient, person: Person, method: str, address: str) -> Response:
    """The password of a session that was found somewhere."""
    body = {
        "current_password": WRONG,
        **({"password": "quite another password"} if method == "PATCH" else {}),
    }
    headers = {**person.by_session, "X-Forwarded-For": address}
    return await client.request(method, "/v1/account", json=body, headers=headers)


async def test_who_found_a_session_may_guess_its_password_ten_times_whatever_for(
    client: AsyncClient, alice: Person
) -> None:
    tried = [
        await guess(client, alice, "PATCH" if i % 2 else "DELETE", f"203.0.113.{i // 5}") for i in range(11)
    ]
    elsewhere = await guess(client, alice, "DELETE", "198.51.100.7")

    assert [response.status_code for response in tried] == [403] * 10 + [429]
    assert tried[-1].headers["ratelimit"].startswith('"current_password_account_from_subnet"')
    assert elsewhere.status_code == 403


async def test_from_all_subnets_together_a_session_guesses_thirty_times(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    tried = [await guess(client, alice, "DELETE", f"203.0.{i}.9") for i in range(31)]
    other = await guess(client, charlie, "DELETE", "203.0.99.9")

    assert [response.status_code for response in tried] == [403] * 30 + [429]
    assert other.status_code == 403


async def test_an_account_is_exported_ten_times_an_hour(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    tried = [await client.get("/v1/account/export", headers=alice.by_session) for _ in range(11)]
    other = await client.get("/v1/account/export", headers=charlie.by_session)

    assert [response.status_code for response in tried] == [200] * 10 + [429]
    assert other.status_code == 200


async def test_a_body_with_a_wrong_field_is_400_and_costs_nothing(client: AsyncClient) -> None:
    wrong = [await log_in(client, "203.0.113.9", password="short") for _ in range(15)]
    right = await log_in(client, "203.0.113.9")

    assert {response.status_code for response in wrong} == {400}
    assert right.status_code == 401


async def test_who_comes_through_no_trusted_proxy_cannot_choose_an_address(app: object) -> None:
    far = ASGITransport(app, client=("198.51.100.7", 5000))
    async with AsyncClient(transport=far, base_url="http://nanobanana.test") as client:
        tried = [await log_in(client, f"203.0.{i}.1", email=f"u{i}@example.com") for i in range(11)]

    assert [response.status_code for response in tried] == [401] * 10 + [429]


async def test_the_owner_gets_in_while_others_stuff_her_login(client: AsyncClient) -> None:
    """In small what `./nb bench stuffing` does: the numbers are those of the table."""
    owner = await sign_up_from(client, "192.0.2.1", "ada@example.com")
    assert owner.status_code == 201

    async def attack(address: str) -> Counter[int]:
        tried = [await log_in(client, address, email="ada@example.com") for _ in range(15)]
        return Counter(response.status_code for response in tried)

    attackers = asyncio.gather(*(attack(f"203.0.{i}.9") for i in range(12)))
    got_in = await log_in(client, "192.0.2.1", email="ada@example.com", password=PASSWORD)
    outcomes = await attackers
    got_in_after = await log_in(client, "192.0.2.1", email="ada@example.com", password=PASSWORD)

    assert (got_in.status_code, got_in_after.status_code) == (200, 200)
    assert outcomes == [{401: 10, 429: 5}] * 12


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        nowhere = Settings(redis_url="unix:///nonexistent/valkey.sock")
        return settings.model_copy(update={"redis_url": nowhere.redis_url, "web_processes": 2})

    async def test_each_of_two_processes_takes_half_and_counts_it(self, client: AsyncClient) -> None:
        tried = [await log_in(client, "203.0.113.9") for _ in range(6)]
        metrics = (await client.get("/metrics")).text

        assert [response.status_code for response in tried] == [401] * 5 + [429]
        assert "nanobanana_limited_without_redis_total" in metrics
        assert 'nanobanana_throttled_total{limit="login_account_from_subnet"}' in metrics


async def test_with_a_scale_of_two_there_is_twice_as_much(client: AsyncClient, services: Services) -> None:
    services.throttle._scale = 2

    tried = [await log_in(client, "203.0.113.9", email=f"u{i}@example.com") for i in range(21)]

    assert [response.status_code for response in tried] == [401] * 20 + [429]


async def test_the_log_has_the_address_of_the_client_not_of_the_proxy(
    client: AsyncClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, object]] = []
    monkeypatch.setattr(
        "nanobanana.web.middleware.request_log.log.info",
        lambda _, **fields: seen.append(fields),
        raising=False,
    )

    await log_in(client, "203.0.113.9")

    assert seen[-1]["client"] == "203.0.113.9"
