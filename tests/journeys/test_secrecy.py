"""A key is shown once. No answer, log or error shows it again, its hash, or a row that holds one."""

from secrets import token_hex

import psycopg
import pytest
from httpx2 import Client

from tests.cli.serving import Service
from tests.journeys.said import lines_about
from tests.people import PASSWORD


@pytest.fixture
def secrets(lasting_service: Service) -> dict[str, str]:
    """A person's keys and session."""
    credentials = {"email": f"{token_hex(4)}@example.com", "password": PASSWORD}
    with Client(base_url=lasting_service.url) as client:
        registered = client.post("/v1/auth/register", json=credentials).json()
        session = client.post("/v1/auth/login", json=credentials).json()["access_token"]
    return {"key": registered["api_key"]["key"], "id": registered["api_key"]["id"], "session": session}


def _hashes(database_url: str) -> list[bytes]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select hash, previous_hash from api_keys").fetchall()
    return [value for row in rows for value in row if value]


def _shown(text: str, secrets: dict[str, str], database_url: str) -> list[str]:
    texts = [secrets["key"][8:], secrets["session"][11:]]
    for hash in _hashes(database_url):
        texts += [hash.hex(), str(hash)[2:-1]]
    return [secret for secret in texts if secret in text]


def test_no_answer_and_no_log_line_shows_a_key_wherever_it_was_pasted(
    lasting_service: Service, secrets: dict[str, str], lasting_database_url: str
) -> None:
    key, id, session = secrets["key"], secrets["id"], secrets["session"]
    with Client(base_url=lasting_service.url, headers={"Authorization": f"Bearer {session}"}) as client:
        client.post(f"/v1/keys/{id}/rotate", json={})
        answers = [
            client.get("/v1/keys"),
            client.get(f"/v1/keys/{id}"),
            client.patch(f"/v1/keys/{id}", json={"scopes": [key], "expires_at": key}),
            client.patch(f"/v1/keys/{id}", json={"allowed_addresses": [key], "disabled": key}),
            client.get(f"/v1/keys/{key}"),
            client.delete(f"/v1/keys/{key}"),
            client.get(f"/{key}/{session}"),
            client.get("/v1/generations", params={"cursor": key}),
            client.get("/healthz", headers={"X-Request-Id": key}),
            client.get("/v1/generations", headers={"Authorization": f"Bearer {key[:-1]}"}),
            client.post("/v1/generate", json={"prompt": "x"}, headers={"Authorization": f"Bearer {key}"}),
        ]

    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(lines_about(ids, lasting_service)) >= len(ids)
    in_answers = "".join(f"{dict(answer.headers)}{answer.text}" for answer in answers)
    assert _shown(in_answers, secrets, lasting_database_url) == []
    assert _shown(lasting_service.said, secrets, lasting_database_url) == []


def test_a_statement_that_breaks_logs_neither_its_values_nor_the_row(
    lasting_service: Service, secrets: dict[str, str], lasting_database_url: str
) -> None:
    with psycopg.connect(lasting_database_url) as connection:
        connection.execute("alter table api_keys add check (name <> 'broken')")
    with Client(
        base_url=lasting_service.url, headers={"Authorization": f"Bearer {secrets['session']}"}
    ) as client:
        answer = client.patch(f"/v1/keys/{secrets['id']}", json={"name": "broken"})
    lines_about([answer.headers["X-Request-Id"]], lasting_service)

    assert answer.status_code == 500
    assert "CheckViolation" in lasting_service.said
    for hint in ("DETAIL", "Binary(", "Failing row", r"\\x"):
        assert hint not in lasting_service.said
    assert _shown(answer.text + lasting_service.said, secrets, lasting_database_url) == []
