"""Free accounts have ceilings: per subnet and day, per mailbox and month. Seen from behind one trusted proxy."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from httpx2 import AsyncClient, Response
from pydantic import ValidationError

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import PASSWORD

THROWAWAY = "ada@mailinator.com"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Three accounts a day from a subnet, as with FREE_ACCOUNTS_PER_SUBNET_PER_DAY=3."""
    proxies = Settings(trusted_proxies="127.0.0.1").trusted_proxies
    return settings.model_copy(
        update={"throttle_scale": 1, "trusted_proxies": proxies, "free_accounts_per_subnet_per_day": 3}
    )


async def sign_up(client: AsyncClient, address: str, email: str) -> Response:
    return await client.post(
        "/v1/auth/register",
        json={"email": email, "password": PASSWORD},
        headers={"X-Forwarded-For": address},
    )


async def statuses(client: AsyncClient, *sign_ups: tuple[str, str]) -> list[int]:
    return [(await sign_up(client, address, email)).status_code for address, email in sign_ups]


async def fill_subnet(client: AsyncClient) -> None:
    made = await statuses(client, *((f"203.0.113.{i}", f"u{i}@example.com") for i in range(3)))
    assert made == [201] * 3


async def counted(services: Services) -> list[int]:
    rows = await services.database.statement("select accounts from sign_ups order by accounts", {})
    return [row["accounts"] for row in rows]


async def test_a_subnet_gets_as_many_accounts_a_day_as_its_ceiling_says(client: AsyncClient) -> None:
    await fill_subnet(client)
    refused, elsewhere = await statuses(
        client, ("203.0.113.9", "v@example.com"), ("203.0.114.9", "w@example.com")
    )

    assert (refused, elsewhere) == (429, 201)


async def test_of_ipv6_a_subnet_is_a_64(client: AsyncClient) -> None:
    made = await statuses(client, *((f"2001:db8::{i}:1", f"u{i}@example.com") for i in range(4)))
    elsewhere = await statuses(client, ("2001:db8:0:1::1", "v@example.com"))

    assert (made, elsewhere) == ([201] * 3 + [429], [201])


async def test_the_refusal_says_what_was_too_much_and_when_the_day_ends(client: AsyncClient) -> None:
    await fill_subnet(client)
    now = datetime.now(UTC)
    refused = await sign_up(client, "203.0.113.9", "v@example.com")

    error, wait = refused.json()["error"], int(refused.headers["retry-after"])
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert (error["code"], error["type"], error["retryable"]) == ("rate_limited", "rate_limit_error", True)
    assert error["message"].startswith("Too many new free accounts from this network today. Try again in ")
    assert -5 < wait - (midnight - now).total_seconds() <= 1
    metrics = (await client.get("/metrics")).text
    assert 'nanobanana_throttled_total{limit="free_accounts_subnet"}' in metrics


async def test_a_mailbox_gets_two_accounts_a_month_however_it_is_spelled_and_wherever_from(
    client: AsyncClient,
) -> None:
    one, two, other = await statuses(
        client,
        ("203.0.1.9", "ada@gmail.com"),
        ("203.0.2.9", "A.da+x@gmail.com"),
        ("203.0.3.9", "bo@gmail.com"),
    )
    now = datetime.now(UTC)
    refused = await sign_up(client, "203.0.4.9", "a.d.a@googlemail.com")

    assert (one, two, other, refused.status_code) == (201, 201, 201, 429)
    assert "for this mailbox this month" in refused.json()["error"]["message"]
    next_month = (now.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    wait = int(refused.headers["retry-after"])
    assert -5 < wait - (next_month - now).total_seconds() <= 1


async def test_a_new_period_counts_anew(client: AsyncClient, services: Services) -> None:
    await fill_subnet(client)
    await services.database.statement(
        "update sign_ups set period_ends_at = period_ends_at - interval '1 month'", {}
    )

    assert await statuses(client, ("203.0.113.9", "v@example.com")) == [201]


async def test_accounts_that_go_stay_counted(client: AsyncClient, services: Services) -> None:
    await fill_subnet(client)
    for table in ("api_keys", "accounts"):
        await services.database.statement(f"delete from {table}", {})

    assert await statuses(client, ("203.0.113.9", "u1@example.com")) == [429]


async def test_what_comes_to_nothing_is_not_counted(client: AsyncClient, services: Services) -> None:
    """Taken and throw-away addresses; and, of a mailbox that has had its accounts, the subnet is not counted."""
    refused = await statuses(
        client,
        ("203.0.113.1", "ada@gmail.com"),
        ("203.0.113.1", "ADA@gmail.com"),
        ("203.0.113.1", THROWAWAY),
        ("203.0.114.1", "a.da@gmail.com"),
        ("203.0.113.1", "ad.a@gmail.com"),
    )

    assert refused == [201, 409, 400, 201, 429]
    assert await counted(services) == [1, 1, 2]
    assert await services.database.statement("select count(*) from accounts", {}) == [{"count": 2}]


async def test_with_a_scale_of_two_there_is_twice_as_much(client: AsyncClient, services: Services) -> None:
    services.people.accounts._ceilings._scale = 2
    by_subnet = await statuses(client, *((f"203.0.113.{i}", f"u{i}@example.com") for i in range(7)))
    by_mailbox = await statuses(client, *((f"203.0.{i}.1", f"ada+{i}@example.com") for i in range(5)))

    assert by_subnet == [201] * 6 + [429]
    assert by_mailbox == [201] * 4 + [429]


async def test_nobody_learns_from_the_counts_who_signed_up_from_where(
    client: AsyncClient, services: Services
) -> None:
    await sign_up(client, "203.0.113.9", "ada@example.com")

    rows = await services.database.statement("select subject from sign_ups", {})
    guesses = {sha256(b"subnet 203.0.113.0/24").digest(), sha256(b"mailbox ada@example.com").digest()}
    assert [len(row["subject"]) for row in rows] == [32, 32]
    assert not guesses & {row["subject"] for row in rows}


async def test_counts_go_a_day_after_their_period(client: AsyncClient, services: Services) -> None:
    await sign_up(client, "203.0.113.9", "ada@example.com")
    for hours in (1, 23, 25):
        await services.database.statement(
            "insert into sign_ups values (now() - make_interval(hours => %(hours)s), 'x', 7)",
            {"hours": hours},
        )

    await services.people.accounts.discard_ended_counts()

    assert await counted(services) == [1, 1, 7, 7]


async def test_the_development_account_counts_for_nobody(services: Services) -> None:
    await services.people.accounts.register_developer(
        email="dev@localhost.localdomain", password=PASSWORD, plan="pro"
    )

    assert await counted(services) == []


async def test_a_throwaway_address_is_refused_by_the_field(client: AsyncClient) -> None:
    refused = await sign_up(client, "203.0.113.9", "ada@any.mailinator.com")

    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (400, "invalid_request", "email")
    assert "Throw-away addresses" in error["message"]


class TestInAnotherTimeZone:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        url = settings.database_url.get_secret_value() + "&options=-ctimezone%3DPacific/Kiritimati"
        return settings.model_copy(update={"database_url": type(settings.database_url)(url)})

    async def test_days_and_months_are_those_of_utc(self, client: AsyncClient, services: Services) -> None:
        await sign_up(client, "203.0.113.9", "ada@example.com")

        rows = await services.database.statement(
            "select current_setting('timezone') as zone, period_ends_at from sign_ups order by period_ends_at",
            {},
        )
        day, month = (row["period_ends_at"].astimezone(UTC) for row in rows)
        today = datetime.now(UTC).date()
        assert rows[0]["zone"] == "Pacific/Kiritimati"
        assert (day.time(), month.time(), month.day) == (datetime.min.time(), datetime.min.time(), 1)
        assert day.date() == today + timedelta(days=1)
        assert timedelta(0) < month.date() - today <= timedelta(days=31)


def test_the_ceiling_of_subnets_is_20_in_production_and_none_in_development() -> None:
    def ceiling(environment: str, **more: object) -> int | None:
        needed = {"public_url": "https://x.example", "secret_key": "s", "gemini_api_key": "g"}
        return Settings(environment=environment, **needed, **more).free_accounts_per_subnet_per_day

    assert (ceiling("development"), ceiling("production")) == (None, 20)
    assert ceiling("production", free_accounts_per_subnet_per_day=7) == 7
    assert ceiling("development", free_accounts_per_subnet_per_day=1) == 1
    with pytest.raises(ValidationError):
        ceiling("production", free_accounts_per_subnet_per_day=0)
