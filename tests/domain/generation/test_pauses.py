"""What an order does to others, and to itself, while Google or the database is not there for it."""

import pytest
from httpx2 import AsyncClient

from nanobanana.domain.generation import queue_repository, repository
from nanobanana.domain.generation.types import Generation
from nanobanana.errors import ServiceUnavailableError
from nanobanana.services import Services
from tests.people import Person

ORDER = {"prompt": "a banana [sandbox:latency=60]"}
LATER = {"Prefer": "respond-async"}


async def _running(client: AsyncClient, person: Person, services: Services) -> Generation:
    """A row that nobody works on."""
    answer = await client.post("/v1/generate", json=ORDER, headers={**person.by_key, **LATER})
    id = answer.json()["id"]
    services.runner._tasks.pop(id).future.cancel()
    account_id = (await client.get("/v1/account", headers=person.by_session)).json()["id"]
    work = await repository.find(services.database, id, account_id=account_id)
    assert work
    return work.generation


async def _left_alone_s(services: Services) -> float:
    (row,) = await services.database.statement(
        "select extract(epoch from not_before - now())::float8 as s from generations", {}
    )
    return row["s"]


async def test_the_oftener_an_order_was_tried_the_longer_it_is_left_alone_up_to_a_minute(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.runner, "_drain_until", 0.0)  # nothing is claimed but here
    generation = await _running(client, alice, services)
    pauses = []
    for _ in range(9):
        assert await queue_repository.put_back(services.database, generation)
        pauses.append(round(await _left_alone_s(services)))
        assert not await queue_repository.claim(services.database, limit=1, max_age_s=3_600)
        await services.database.statement("update generations set not_before = now()", {})
        (work,) = await queue_repository.claim(services.database, limit=1, max_age_s=3_600)
        generation = work.generation

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_an_outcome_survives_a_database_that_is_away_for_a_moment(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nanobanana.domain.generation.runner._SETTLE_AGAIN_S", 0)
    settle, failures = repository.settle, iter([True, True])

    async def away_twice(*arguments: object, **options: object) -> Generation | None:
        if next(failures, False):
            raise ServiceUnavailableError("away")
        return await settle(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(repository, "settle", away_twice)

    answer = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)

    assert (answer.status_code, answer.json()["charge"]["state"]) == (200, "captured")


async def test_who_has_lost_its_row_does_not_ask_again(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    generation = await _running(client, alice, services)
    await services.database.statement("update generations set attempt = 2", {})

    assert not await repository.note_lost_attempt(services.database, generation)


async def test_a_place_that_nobody_can_tell_is_left_out(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.routes.__class__, "room", lambda _: 0)

    async def away(*_: object) -> list[str]:
        raise ServiceUnavailableError("away")

    monkeypatch.setattr(queue_repository, "in_turn", away)

    answer = await client.post("/v1/generate", json=ORDER, headers={**alice.by_key, **LATER})

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.json()["queue_position"] is None
