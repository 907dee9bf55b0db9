"""What a key may not do is refused at once, by processes too that met the key a moment ago."""

from collections.abc import AsyncIterator, Mapping

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from nanobanana.app import create_app
from nanobanana.domain.api_keys import rules
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person

PROMPT = {"prompt": "a banana"}


@pytest.fixture
async def other_process(settings: Settings, app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A second service on the same database: it shares nothing else with the first."""
    other = create_app(settings)
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=ASGITransport(other), base_url="http://other.test", timeout=30) as client,
    ):
        yield client


def _from(app: FastAPI, address: str) -> AsyncClient:
    transport = ASGITransport(app, client=(address, 50_000))
    return AsyncClient(transport=transport, base_url="http://nanobanana.test", timeout=30)


async def _live_key_id(client: AsyncClient, person: Person) -> str:
    keys = (await client.get("/v1/keys", headers=person.by_session)).json()["data"]
    return next(key["id"] for key in keys if key["mode"] == "live")


async def _use(client: AsyncClient, headers: Mapping[str, str]) -> tuple[Response, Response]:
    return (
        await client.post("/v1/generate", json=PROMPT, headers=headers),
        await client.get("/v1/generations", headers=headers),
    )


@pytest.mark.parametrize(
    ("change", "statuses", "code"),
    [
        ({"disabled": True}, (401, 401), "invalid_api_key"),
        ({"scopes": ["usage"]}, (403, 403), "scope_missing"),
        ({"scopes": ["read"]}, (403, 200), "scope_missing"),
        ({"scopes": ["generate"]}, (200, 403), "scope_missing"),
        ({"allowed_addresses": ["10.0.0.0/8", "::1"]}, (403, 403), "ip_not_allowed"),
        ({"allowed_addresses": ["10.0.0.0/8", "127.0.0.0/8"]}, (200, 200), None),
        ({"allowed_addresses": ["::ffff:127.0.0.1"]}, (200, 200), None),
    ],
)
async def test_a_change_holds_at_once_in_every_process(
    client: AsyncClient,
    other_process: AsyncClient,
    alice: Person,
    change: dict[str, object],
    statuses: tuple[int, int],
    code: str | None,
) -> None:
    for process in (client, other_process):
        assert [response.status_code for response in await _use(process, alice.by_key)] == [200, 200]

    id = await _live_key_id(client, alice)
    await client.patch(f"/v1/keys/{id}", json=change, headers=alice.by_session)

    for process in (client, other_process):
        responses = await _use(process, alice.by_key)
        assert tuple(response.status_code for response in responses) == statuses
        assert {r.json()["error"]["code"] for r in responses if not r.is_success} <= {code}


async def test_an_expired_key_is_refused_from_its_moment_on(
    client: AsyncClient, other_process: AsyncClient, alice: Person, services: Services
) -> None:
    await _use(client, alice.by_key)
    await _use(other_process, alice.by_key)
    await services.database.statement("update api_keys set expires_at = now()", {})

    for process in (client, other_process):
        assert [response.status_code for response in await _use(process, alice.by_key)] == [401, 401]


async def test_a_key_before_its_expiry_works(client: AsyncClient, alice: Person, services: Services) -> None:
    await services.database.statement("update api_keys set expires_at = now() + interval '1 hour'", {})

    assert [response.status_code for response in await _use(client, alice.by_key)] == [200, 200]


async def test_a_disabled_key_works_again_when_it_is_enabled(client: AsyncClient, alice: Person) -> None:
    address = f"/v1/keys/{await _live_key_id(client, alice)}"

    await client.patch(address, json={"disabled": True}, headers=alice.by_session)
    disabled = await _use(client, alice.by_key)
    await client.patch(address, json={"disabled": False}, headers=alice.by_session)
    enabled = await _use(client, alice.by_key)

    assert [response.status_code for response in (*disabled, *enabled)] == [401, 401, 200, 200]


async def test_disable_all_disables_all_keys_of_the_account_and_of_no_other(
    client: AsyncClient, other_process: AsyncClient, alice: Person, charlie: Person
) -> None:
    for headers in (alice.by_key, alice.by_test_key):
        await _use(other_process, headers)

    answer = await client.post("/v1/keys/disable-all", headers=alice.by_session)

    assert [key["disabled"] for key in answer.json()["data"]] == [True, True]
    for headers in (alice.by_key, alice.by_test_key):
        assert [response.status_code for response in await _use(other_process, headers)] == [401, 401]
    assert [response.status_code for response in await _use(client, charlie.by_key)] == [200, 200]


async def test_an_allowed_network_counts_to_its_last_address(
    app: FastAPI, client: AsyncClient, alice: Person
) -> None:
    id = await _live_key_id(client, alice)
    networks = {"allowed_addresses": ["203.0.113.0/30", "2001:db8::/127"]}
    await client.patch(f"/v1/keys/{id}", json=networks, headers=alice.by_session)

    statuses = {}
    for address in ("203.0.113.3", "203.0.113.4", "2001:db8::1", "2001:db8::2"):
        async with _from(app, address) as caller:
            statuses[address] = [response.status_code for response in await _use(caller, alice.by_key)]

    assert statuses == {
        "203.0.113.3": [200, 200],
        "203.0.113.4": [403, 403],
        "2001:db8::1": [200, 200],
        "2001:db8::2": [403, 403],
    }


async def test_an_address_counts_as_what_it_is_however_the_socket_writes_it(
    app: FastAPI, client: AsyncClient, alice: Person
) -> None:
    id = await _live_key_id(client, alice)
    networks = {"allowed_addresses": ["203.0.113.3", "fe80::1"]}
    await client.patch(f"/v1/keys/{id}", json=networks, headers=alice.by_session)

    for address in ("::ffff:203.0.113.3", "fe80::1%eth0"):
        async with _from(app, address) as caller:
            assert [response.status_code for response in await _use(caller, alice.by_key)] == [200, 200]


async def test_a_dead_key_is_not_told_from_a_wrong_one_whatever_its_settings(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    bodies = list(await _use(client, {"Authorization": f"Bearer {rules.new_key('live')}"}))
    nothing_allowed = "scopes = '{usage}', allowed_addresses = '{10.0.0.0/8}'"
    for death in ("revoked_at = now()", "disabled = true", "expires_at = now()", "hash = '\\x00'"):
        await services.database.statement(
            f"update api_keys set {nothing_allowed}, {death} where mode = 'live'", {}
        )
        bodies += await _use(client, alice.by_key)
        await services.database.statement(
            "update api_keys set revoked_at = null, disabled = false, expires_at = null", {}
        )

    assert {response.status_code for response in bodies} == {401}
    assert len({response.json()["error"]["message"] for response in bodies}) == 1
