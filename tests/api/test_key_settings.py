"""What an owner sets on a key: taken, shown, changed, refused."""

from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person

LATER = "2100-01-31T12:00:00Z"
EVERYTHING = {
    "name": "shop",
    "mode": "live",
    "expires_at": LATER,
    "monthly_image_cap": 1000,
    "scopes": ["read", "generate"],
    "allowed_addresses": ["10.1.2.3/8", "2001:db8::1"],
}


async def _create(client: AsyncClient, person: Person, **body: object) -> dict[str, object]:
    response = await client.post("/v1/keys", json=body, headers=person.by_session)
    assert response.status_code == 201, response.text
    return response.json()


async def test_a_key_has_the_settings_it_was_created_with(client: AsyncClient, alice: Person) -> None:
    created = await _create(client, alice, **EVERYTHING)

    shown = (await client.get(f"/v1/keys/{created['id']}", headers=alice.by_session)).json()

    assert shown == {name: value for name, value in created.items() if name != "key"}
    assert (
        shown.items()
        >= {
            **EVERYTHING,
            "allowed_addresses": ["10.0.0.0/8", "2001:db8::1/128"],
            "disabled": False,
            "last_used_at": None,
            "previous_expires_at": None,
        }.items()
    )


async def test_a_key_without_settings_may_do_everything_from_everywhere_for_good(
    client: AsyncClient, alice: Person
) -> None:
    created = await _create(client, alice)

    assert created["scopes"] == ["generate", "read", "usage"]
    assert created["expires_at"] is created["monthly_image_cap"] is created["allowed_addresses"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expires_at", "2020-01-01T00:00:00Z"),
        ("expires_at", "2100-01-01T00:00:00"),
        ("expires_at", "9999-12-31T23:59:59-23:00"),
        ("expires_at", "9000-01-01T00:00:00Z"),
        ("expires_at", 4_102_444_800),
        ("expires_at", "4102444800"),
        ("expires_at", "2100-02-31"),
        ("monthly_image_cap", 0),
        ("monthly_image_cap", -1),
        ("monthly_image_cap", 1.5),
        ("monthly_image_cap", "5"),
        ("monthly_image_cap", 1_000_000_001),
        ("scopes", []),
        ("scopes", ["admin"]),
        ("scopes", None),
        ("allowed_addresses", []),
        ("allowed_addresses", ["example.com"]),
        ("allowed_addresses", ["10.0.0.0/33"]),
        ("allowed_addresses", ["fe80::1%eth0"]),
        ("allowed_addresses", [f"10.0.0.{n}" for n in range(51)]),
        ("name", ""),
        ("name", None),
        ("name", "x" * 101),
    ],
)
async def test_a_wrong_setting_is_400_and_named_at_creation_and_at_change(
    client: AsyncClient, alice: Person, name: str, value: object
) -> None:
    key = await _create(client, alice)

    created = await client.post("/v1/keys", json={name: value}, headers=alice.by_session)
    changed = await client.patch(f"/v1/keys/{key['id']}", json={name: value}, headers=alice.by_session)

    for response in (created, changed):
        assert response.status_code == 400
        assert response.json()["error"]["param"].split(".")[0] == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expires_at", "8999-12-31T23:59:59Z"),
        ("monthly_image_cap", 1),
        ("monthly_image_cap", 1_000_000_000),
        ("scopes", ["usage"]),
        ("allowed_addresses", [f"10.0.0.{n}/32" for n in range(50)]),
        ("name", "x" * 100),
        ("disabled", True),
    ],
)
async def test_a_setting_at_its_limit_is_taken_and_changes_nothing_else(
    client: AsyncClient, alice: Person, name: str, value: object
) -> None:
    key = await _create(client, alice, **EVERYTHING)
    key.pop("key")

    changed = await client.patch(f"/v1/keys/{key['id']}", json={name: value}, headers=alice.by_session)

    assert changed.json() == {**key, name: value}


async def test_a_day_as_expiry_is_its_beginning(client: AsyncClient, alice: Person) -> None:
    key = await _create(client, alice, expires_at="2100-01-31")
    past = await client.post("/v1/keys", json={"expires_at": "2020-01-31"}, headers=alice.by_session)

    assert key["expires_at"] == "2100-01-31T00:00:00Z"
    assert past.json()["error"]["message"].startswith("expires_at: This must lie in the future")


async def test_null_takes_expiry_cap_and_addresses_away(client: AsyncClient, alice: Person) -> None:
    key = await _create(client, alice, **EVERYTHING)
    nothing = {"expires_at": None, "monthly_image_cap": None, "allowed_addresses": None}

    changed = await client.patch(f"/v1/keys/{key['id']}", json=nothing, headers=alice.by_session)

    assert changed.json().items() >= nothing.items()


async def test_a_change_of_nothing_answers_the_key_as_it_is(client: AsyncClient, alice: Person) -> None:
    key = await _create(client, alice, **EVERYTHING)

    changed = await client.patch(f"/v1/keys/{key['id']}", json={}, headers=alice.by_session)

    assert changed.json().items() <= key.items()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")]
)
async def test_another_accounts_key_is_404_and_stays_as_it_is(
    client: AsyncClient, alice: Person, charlie: Person, method: str, path: str
) -> None:
    key = await _create(client, alice)
    address = f"/v1/keys/{key['id']}"

    response = await client.request(
        method, address + path, json={} if method == "POST" else {"name": "mine"}, headers=charlie.by_session
    )

    assert response.status_code == 404
    key.pop("key")
    assert (await client.get(address, headers=alice.by_session)).json() == key


async def test_an_account_has_100_keys_and_no_more(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await _fill_up(services, to=99)

    last = await client.post("/v1/keys", json={}, headers=alice.by_session)
    refused = await client.post("/v1/keys", json={}, headers=alice.by_session)
    await client.delete(f"/v1/keys/{last.json()['id']}", headers=alice.by_session)
    again = await client.post("/v1/keys", json={}, headers=alice.by_session)

    assert (last.status_code, refused.status_code, again.status_code) == (201, 409, 201)
    assert refused.json()["error"]["code"] == "too_many_keys"


async def _fill_up(services: Services, *, to: int) -> None:
    await services.database.statement(
        """
        insert into api_keys (id, account_id, mode, name, hash, last4)
        select 'key_' || n, a.id, 'live', 'filling', sha256(n::text::bytea), 'xxxx'
        from accounts a, generate_series(3, %(to)s) n
        """,
        {"to": to},
    )


async def test_use_is_recorded_with_its_moment_once_a_minute_at_most(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    before = datetime.now(UTC)
    await _use_and_record(client, alice, services)
    first = await _last_used(client, alice)
    await _use_and_record(client, alice, services)
    within_the_minute = await _last_used(client, alice)
    await services.database.statement(
        "update api_keys set last_used_at = last_used_at - interval '61 seconds'", {}
    )
    await _use_and_record(client, alice, services)
    later = await _last_used(client, alice)

    assert before - timedelta(seconds=1) < first < datetime.now(UTC)
    assert within_the_minute == first
    assert later > first


async def test_a_late_record_of_an_earlier_use_takes_nothing_back(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await _use_and_record(client, alice, services)
    recorded = await _last_used(client, alice)
    bearer = await services.api_keys.resolve(alice.key)
    services.api_keys._used[bearer.api_key_id] = 0

    await services.api_keys.record_uses()

    assert await _last_used(client, alice) == recorded


async def test_a_refused_use_is_no_use(client: AsyncClient, alice: Person, services: Services) -> None:
    await services.database.statement("update api_keys set scopes = '{usage}'", {})
    await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    await client.get("/v1/generations", headers=alice.by_key)
    await services.api_keys.record_uses()

    assert await _last_used(client, alice) is None


async def _use_and_record(client: AsyncClient, person: Person, services: Services) -> None:
    await client.get("/v1/generations", headers=person.by_key)
    await services.api_keys.record_uses()


async def _last_used(client: AsyncClient, person: Person) -> datetime | None:
    keys = (await client.get("/v1/keys", headers=person.by_session)).json()["data"]
    moment = next(key["last_used_at"] for key in keys if key["mode"] == "live")
    return datetime.fromisoformat(moment) if moment else None
