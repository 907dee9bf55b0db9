"""What the scan over every test of the run finds, and what it lets pass. See tests/secrecy.py."""

import json
from collections.abc import Callable

import psycopg
import pytest
from httpx2 import Request, Response
from psycopg.types.json import Jsonb

from tests.secrecy import Watch

KEY = "nb_live_" + "K3y" * 12
SESSION = "nb_session_" + "S-_" * 14
PASSWORD = "a password of this test"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
TOKEN = "t0-_" * 10
MAIL = f"Open\n\n    https://example.com/?token={TOKEN}\n\nor type\n\n    402117\n"
SECRETS = {
    "key": KEY,
    "session": SESSION,
    "password": PASSWORD,
    "webhook secret": "whsec_" + "aB3/" * 10 + "abc=",
    "password hash": HASH,
    "token": TOKEN,
    "code": "402117",
}


def answer(
    called: str, body: object, *, sent: object = None, headers: dict[str, str] | None = None
) -> Response:
    method, path = called.split()
    request = Request(method, f"http://nanobanana.test{path}", json=sent)
    return Response(200, request=request, json=body, headers=headers)


@pytest.fixture
def watch() -> Watch:
    """Has seen how the password was sent and the token and the code were mailed."""
    watch = Watch()
    watch.saw_answer(answer("POST /v1/auth/login", {}, sent={"password": PASSWORD}))
    watch.saw_mail(MAIL)
    return watch


SIGHTS: dict[str, Callable[[Watch, str], None]] = {
    "the body of GET /v1/keys": lambda watch, it: watch.saw_answer(answer("GET /v1/keys", {"name": it})),
    "the headers of GET /v1/keys": lambda watch, it: watch.saw_answer(
        answer("GET /v1/keys", {}, headers={"x-name": it})
    ),
    "what serve wrote": lambda watch, it: watch.saw_written(json.dumps({"error": it}), by="serve"),
}


@pytest.mark.parametrize("place", SIGHTS)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_wherever_it_stands_and_is_not_repeated(
    watch: Watch, place: str, kind: str
) -> None:
    SIGHTS[place](watch, SECRETS[kind])

    assert watch.leaks() == [f"a {kind} in {place}"]
    assert SECRETS[kind] not in watch.masked(f"before {SECRETS[kind]} after")


def test_the_place_itself_is_named_without_its_secrets(watch: Watch) -> None:
    watch.saw_answer(answer(f"DELETE /v1/keys/{KEY}", {"message": KEY}))

    assert watch.leaks() == ["a key in the body of DELETE /v1/keys/[hidden]"]


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_a_table_is_found(watch: Watch, database_url: str, kind: str) -> None:
    with psycopg.connect(database_url) as connection:
        job = "insert into procrastinate_jobs (queue_name, task_name, args) values ('', '', %s)"
        connection.execute(job, [Jsonb({"it": SECRETS[kind]})])
    watch.saw_database(database_url)

    assert watch.leaks() == [f"a {kind} in the table procrastinate_jobs"]
    with psycopg.connect(database_url) as connection:
        connection.execute("delete from procrastinate_jobs")


def test_hashes_have_their_place_in_columns_and_nowhere_else(watch: Watch, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into accounts (id, email, email_folded, password_hash, plan) values ('usr_1', '', '', %s, 'free')",
            [HASH],
        )
        connection.execute(
            "insert into api_keys (id, account_id, mode, name, hash, last4) values ('key_1', 'usr_1', 'live', '', %s, '')",
            [b"a hash of thirty-two bytes \xff\x00\x01\x02\x03"],
        )
    watch.saw_database(database_url)
    assert watch.leaks() == []

    watch.saw_written(r"DETAIL: ... b'a hash of thirty-two bytes \xff\x00\x01\x02\x03'", by="serve")
    assert watch.leaks() == ["a hash in what serve wrote"]


def test_a_key_and_a_session_are_shown_once_by_the_answers_that_are_for_it(watch: Watch) -> None:
    for path, secret in (("/v1/keys", KEY), ("/v1/auth/login", SESSION)):
        watch.saw_answer(answer(f"POST {path}", {"it": secret}))
    assert watch.leaks() == []

    watch.saw_answer(answer("POST /v1/keys/key_1/rotate", {"it": KEY}))
    assert watch.leaks() == ["a key in the body of POST /v1/keys/key_1/rotate"]


def test_six_digits_within_a_number_are_no_code(watch: Watch) -> None:
    watch.saw_written(
        '{"timestamp": "2026-11-22T11:30:53.402117Z", "id": "x402117", "ms": 1402117}', by="serve"
    )

    assert watch.leaks() == []
