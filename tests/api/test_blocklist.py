"""Prompts that the operator's word list refuses never reach Google."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.google import Google
from tests.people import Person
from tests.plans import put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    file = tmp_path / "terms.txt"
    file.write_text("pipe bomb\nzeppelin\n")
    return file


@pytest.fixture
def google(sandbox_url: str) -> Google:
    return Google(sandbox_url)


@pytest.fixture
def settings(settings: Settings, google: Google, terms: Path) -> Settings:
    return google.of(settings).model_copy(update={"blocklist_file": terms, "refusals_per_day": 10})


async def ask(
    client: AsyncClient, by: dict[str, str], prompt: str = "a Pipe-Bomb", query: str = "", **headers: str
) -> Response:
    body = {"prompt": prompt}
    return await client.post(f"/v1/generate{query}", json=body, headers={**by, **headers})


async def refusals(services: Services) -> int:
    rows = await services.database.statement("select sum(refusals) as refusals from accounts", {})
    return int(rows[0]["refusals"])


async def test_it_is_422_and_nothing_is_held_and_google_is_not_asked(
    client: AsyncClient, alice: Person, services: Services, google: Google
) -> None:
    answer = await ask(client, alice.by_key)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (
        422,
        "content_policy",
        "content_policy_error",
    )
    assert (error["retryable"], error["charged"]) == (False, False)
    assert "bomb" not in error["message"].lower()
    assert google.calls() == 0
    held = "select (select count(*) from generations) + (select count(*) from ledger) as rows"
    assert (await services.database.statement(held, {}))[0]["rows"] == 0
    assert await refusals(services) == 1


async def test_what_is_not_on_the_list_is_made(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    assert (await ask(client, alice.by_key, "a pipe")).status_code == 200
    assert await refusals(services) == 0


async def test_it_takes_a_token_of_the_hour_and_none_of_what_is_in_flight(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=3, images_in_flight=1)

    answers = [await ask(client, alice.by_key) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    left = [answer.headers["x-ratelimit-remaining-requests"] for answer in answers]
    assert left == ["2", "1", "0", "0"]


async def test_a_repeated_idempotency_key_counts_once_for_each_prompt(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    same = {"Idempotency-Key": "one"}

    for _ in range(3):
        assert (await ask(client, alice.by_key, **same)).status_code == 422
    assert await refusals(services) == 1
    await ask(client, alice.by_key, "a zeppelin", **same)
    await ask(client, charlie.by_key, **same)
    assert await refusals(services) == 3
    for _ in range(2):
        await ask(client, alice.by_key)
    assert await refusals(services) == 5


async def test_a_dry_run_says_so_and_counts_nothing(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    answer = await ask(client, alice.by_key, query="?dry_run=true")

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "content_policy")
    assert await refusals(services) == 0


async def test_test_keys_draw_in_the_sandbox_whatever_the_prompt(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    assert (await ask(client, alice.by_test_key)).status_code == 200
    assert await refusals(services) == 0


async def test_who_may_not_ask_at_all_is_told_that_and_counts_nothing(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    reader = {"name": "reader", "scopes": ["read"]}
    key = (await client.post("/v1/keys", json=reader, headers=alice.by_session)).json()["key"]

    answer = await ask(client, {"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")
    assert await refusals(services) == 0


async def test_refusals_by_the_list_and_by_google_are_counted_together(
    client: AsyncClient, alice: Person
) -> None:
    prompts = ["a zeppelin", "[sandbox:image_safety]"] * 5
    answers = [await ask(client, alice.by_key, prompt) for prompt in prompts]

    assert {answer.status_code for answer in answers} == {422}
    assert (await ask(client, alice.by_key, "a banana")).json()["error"]["code"] == "account_suspended"


async def test_the_file_is_read_anew_when_it_changes_and_a_broken_one_changes_nothing(
    client: AsyncClient, alice: Person, services: Services, terms: Path
) -> None:
    _write(terms, b"submarine\n")
    await services.moderation.reread_blocklist()
    assert (await ask(client, alice.by_key, "a submarine")).status_code == 422
    assert (await ask(client, alice.by_key, "a zeppelin")).status_code == 200

    for spoil in (partial(_write, terms, b"\xff\n"), terms.unlink):
        spoil()
        await asyncio.gather(*(services.moderation.reread_blocklist() for _ in range(2)))
        assert (await ask(client, alice.by_key, "a submarine")).status_code == 422

    _write(terms, b"zeppelin\n")
    await services.moderation.reread_blocklist()
    assert (await ask(client, alice.by_key, "a submarine")).status_code == 200


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)
