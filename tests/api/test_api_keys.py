import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person

PROMPT = {"prompt": "a banana"}


async def test_a_created_key_works_and_is_listed_without_its_text(client: AsyncClient, alice: Person) -> None:
    created = await client.post("/v1/keys", json={"name": "shop"}, headers=alice.by_session)
    key = created.json()["key"]
    listed = await client.get("/v1/keys", headers=alice.by_session)
    used = await client.get("/v1/generations", headers={"Authorization": f"Bearer {key}"})

    assert created.status_code == 201
    assert used.status_code == 200
    assert [row["name"] for row in listed.json()["data"]] == ["shop", "First test key", "First key"]
    assert key not in listed.text
    assert listed.json()["data"][0]["last4"] == key[-4:]


async def test_a_revoked_key_is_refused_with_401_at_once(client: AsyncClient, alice: Person) -> None:
    # The key was used a moment ago: what the process remembers of it must not let it in.
    assert (await client.post("/v1/generate", json=PROMPT, headers=alice.by_key)).status_code == 200
    keys = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]
    live = next(row["id"] for row in keys if row["mode"] == "live")

    revoked = await client.delete(f"/v1/keys/{live}", headers=alice.by_session)
    generate = await client.post("/v1/generate", json=PROMPT, headers=alice.by_key)
    read = await client.get("/v1/generations", headers=alice.by_key)

    assert revoked.status_code == 204
    assert generate.status_code == read.status_code == 401
    assert generate.json()["error"]["code"] == "invalid_api_key"


async def test_another_accounts_key_cannot_be_revoked(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    keys = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]

    response = await client.delete(f"/v1/keys/{keys[0]['id']}", headers=charlie.by_session)

    assert response.status_code == 404
    assert len((await client.get("/v1/keys", headers=alice.by_session)).json()["data"]) == 2


async def test_keys_cannot_be_managed_with_a_key(client: AsyncClient, alice: Person) -> None:
    response = await client.get("/v1/keys", headers=alice.by_key)

    assert response.status_code == 401


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}]
)
async def test_missing_and_wrong_keys_get_one_text(client: AsyncClient, header: dict[str, str]) -> None:
    response = await client.post("/v1/generate", json=PROMPT, headers=header)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["message"].startswith("This request needs a valid API key")


async def test_a_cut_off_key_is_told_so(client: AsyncClient, alice: Person) -> None:
    response = await client.post(
        "/v1/generate", json=PROMPT, headers={"Authorization": f"Bearer {alice.key[:-1]}"}
    )

    assert response.status_code == 401
    assert "checksum" in response.json()["error"]["message"]


async def test_a_suspended_account_is_403(client: AsyncClient, alice: Person, services: Services) -> None:
    await services.database.statement("update accounts set suspended_at = now()", {})

    response = await client.post("/v1/generate", json=PROMPT, headers=alice.by_key)

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "account_suspended"


async def test_only_the_keyed_hash_of_a_key_is_stored(alice: Person, services: Services) -> None:
    rows = await services.database.statement("select k::text as row from api_keys k", {})

    assert len(rows) == 2
    assert not any(alice.key[8:] in row["row"] for row in rows)
