"""What a person can take along: everything, valid JSON or none, and no secret."""

import io
import json
import os
from pathlib import Path

import psycopg
import pytest
from httpx2 import AsyncClient, RemoteProtocolError

from nanobanana.services import Services
from tests.cli.serving import serving
from tests.people import PASSWORD, Person, sign_up
from tests.rows import insert_generations


async def test_it_holds_what_was_made_and_no_secret(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    made = (await client.post("/v1/generate", json={"prompt": "my banana"}, headers=alice.by_key)).json()
    await client.post("/v1/generate", json={"prompt": "not hers"}, headers=charlie.by_key)
    revoked = await client.post("/v1/keys", json={"name": "revoked one"}, headers=alice.by_session)
    await client.delete(f"/v1/keys/{revoked.json()['id']}", headers=alice.by_session)
    move = {"email": "new@example.com", "current_password": PASSWORD}
    await client.patch("/v1/account", json=move, headers=alice.by_session)

    answer = await client.get("/v1/account/export", headers=alice.by_session)

    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="nanobanana-export.json"'
    assert answer.headers["content-type"] == "application/json"
    export = answer.json()
    assert (export["account"]["email"], export["account"]["plan"]) == (alice.email, "free")
    assert export["pending_address"]["email"] == "new@example.com"
    assert [session["current"] for session in export["sessions"]] == [True]
    keys = {key["name"]: key for key in export["api_keys"]}
    assert keys.keys() == {"First key", "First test key", "revoked one"}
    assert [name for name, key in keys.items() if key["revoked_at"]] == ["revoked one"]
    assert export["generations"] == [made]
    assert charlie.email not in answer.text
    assert await secrets_in(answer.text, alice, services) == []


async def secrets_in(text: str, person: Person, services: Services) -> list[object]:
    rows = await services.database.statement(
        """
        select password_hash from accounts union all select encode(hash, 'hex') from api_keys
        union all select encode(token_hash, 'hex') from sessions
        union all select encode(token_hash, 'hex') from one_time_tokens where token_hash is not null
        """,
        {},
    )
    secrets = [row["password_hash"] for row in rows]
    assert len(secrets) >= 8
    secrets += [person.key[8:], person.test_key[8:], person.token[11:]]
    return [secret for secret in secrets if secret in text]


async def test_all_generations_are_there_once_newest_first_however_many(
    client: AsyncClient, alice: Person, database_url: str
) -> None:
    there = 0
    for count in (0, 100, 1_234):
        more = count - there
        insert_generations(database_url, alice, count=more, prompt='a "banana"\n\U0001f34c', first=there)
        there = count

        export = (await client.get("/v1/account/export", headers=alice.by_session)).json()

        prompts = [made["prompt"] for made in export["generations"]]
        assert prompts == [f'a "banana"\n\U0001f34c {number}' for number in reversed(range(count))]


async def test_a_key_is_not_enough(client: AsyncClient, alice: Person) -> None:
    assert (await client.get("/v1/account/export", headers=alice.by_key)).status_code == 401


async def test_without_a_database_it_is_503_before_it_begins(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await services.database.close()

    assert (await client.get("/v1/account/export", headers=alice.by_session)).status_code == 503


async def test_a_database_that_fails_midway_cuts_the_connection(data_dir: Path, database_url: str) -> None:
    """Half an export that reads like a whole one would be a lie. The rows are more than the buffers on the way hold."""
    settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    with serving(data_dir, factory=None, settings=settings) as service:
        async with AsyncClient(base_url=service.url, timeout=30) as client:
            alice = await sign_up(client, "alice@example.com")
            insert_generations(database_url, alice, count=5_000, prompt="banana " * 500)
            received = io.BytesIO()
            with pytest.raises(RemoteProtocolError):
                await break_and_read(client, alice, database_url, received)

    text = received.getvalue()
    assert text.startswith(b'{"account":')
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def break_and_read(
    client: AsyncClient, person: Person, database_url: str, received: io.BytesIO
) -> None:
    async with client.stream("GET", "/v1/account/export", headers=person.by_session) as answer:
        assert answer.status_code == 200
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("alter table generations rename to gone")
        async for piece in answer.aiter_bytes():
            received.write(piece)
