"""Orders that come while others wait: none overtakes, and none waits for what cannot go on anyway."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from httpx2 import AsyncClient

from nanobanana.app import create_app
from nanobanana.domain.generation import queue
from nanobanana.domain.routes.service import Routes
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.worker import jobs
from nanobanana.worker.timetable import Job
from tests.conftest import in_memory
from tests.people import Person, sign_up

pytestmark = pytest.mark.usefixtures("patience_with_redis")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"queue_max_age_s": 60})


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is taken up when the test says so."""
    timetable_is(monkeypatch, lambda planned: [job for job in planned if job.name != "work_off_queue"])


def timetable_is(monkeypatch: pytest.MonkeyPatch, change: Callable[[Sequence[Job]], list[Job]]) -> None:
    planned = jobs.timetable
    monkeypatch.setattr("nanobanana.worker.process.timetable", lambda services: change(planned(services)))


async def order(client: AsyncClient, person: Person) -> tuple[str, str]:
    """Its id, and how it was born."""
    headers = {**person.by_key, "Prefer": "respond-async"}
    answer = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=headers)
    assert answer.status_code == 202
    return answer.json()["id"], answer.json()["status"]


async def wait_for_a_route(client: AsyncClient, person: Person) -> str:
    """An order of the time when there was none."""
    with pytest.MonkeyPatch.context() as outage:
        outage.setattr(Routes, "room", lambda _: 0)
        id, state = await order(client, person)
    assert state == "queued"
    return id


async def change(services: Services, changes: str, id: str) -> None:
    await services.database.statement(f"update generations set {changes} where id = %(id)s", {"id": id})


@pytest.mark.usefixtures("by_hand")
async def test_none_overtakes_those_that_wait_of_the_same_account_or_of_another(
    client: AsyncClient, alice: Person, charlie: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = services.generations._queue
    first = await wait_for_a_route(client, alice)
    (second, of_second), (other, of_other) = await order(client, alice), await order(client, charlie)
    assert (of_second, of_other) == ("queued", "queued")

    monkeypatch.setattr(queue, "_CLAIMED_AT_ONCE", 2)
    works, more = await queued.claim()
    assert ({work.generation.id for work in works}, more) == ({first, other}, True)
    third, of_third = await order(client, alice)
    assert of_third == "queued"
    works, _ = await queued.claim()
    assert {work.generation.id for work in works} == {second, third}
    assert await queued.claim() == ([], False)

    assert (await order(client, alice))[1] == "running"


@pytest.mark.usefixtures("by_hand")
async def test_never_more_are_taken_up_than_there_is_room_for(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await wait_for_a_route(client, alice)
    monkeypatch.setattr(Routes, "room", lambda _: 2)

    works, more = await services.generations._queue.claim()

    assert (len(works), more) == (2, True)


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize(
    ("changes", "born"),
    [
        ("created_at = now() - interval '2 seconds'", "queued"),
        ("created_at = now() - interval '59 seconds', not_before = now() - interval '2 seconds'", "queued"),
        ("created_at = now() - interval '2 seconds', not_before = now() + interval '1 minute'", "running"),
        ("created_at = now() - interval '60 seconds'", "running"),
        ("created_at = now()", "running"),
    ],
    ids=["due", "due again", "not due", "too old", "about to be claimed"],
)
async def test_a_process_that_claims_nothing_sees_who_waits_for_others(
    client: AsyncClient, alice: Person, charlie: Person, services: Services, changes: str, born: str
) -> None:
    await change(services, changes, await wait_for_a_route(client, charlie))

    await services.runner.look_at_queue()

    assert (await order(client, alice))[1] == born


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("looks", ["look_at_queue", "work_off_queue"])
async def test_nobody_waits_for_a_suspended_account(
    client: AsyncClient, alice: Person, charlie: Person, services: Services, looks: str
) -> None:
    id = await wait_for_a_route(client, charlie)
    await change(services, "created_at = now() - interval '2 seconds'", id)
    suspend = "update accounts set suspended_at = now() where email = %(email)s"
    await services.database.statement(suspend, {"email": charlie.email})

    await getattr(services.runner, looks)()

    assert (await order(client, alice))[1] == "running"


async def test_where_there_is_room_what_waits_is_taken_up_at_once_and_not_at_the_next_turn(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seldom(planned: Sequence[Job]) -> list[Job]:
        return [replace(job, every_s=600) if job.name == "work_off_queue" else job for job in planned]

    timetable_is(monkeypatch, seldom)
    app = create_app(settings)
    async with app.router.lifespan_context(app), in_memory(app) as client:
        alice = await sign_up(client, "alice@example.com")
        for _ in range(2):
            app.state.services.generations._queue._others_wait = True
            id, state = await order(client, alice)
            made = await client.get(f"/v1/generations/{id}", params={"wait": 5}, headers=alice.by_key)
            assert (state, made.json()["status"]) == ("queued", "succeeded")


async def test_web_processes_that_leave_the_queue_to_workers_look_by_themselves(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"run_jobs": False}))
    async with app.router.lifespan_context(app), in_memory(app) as client, asyncio.timeout(10):
        alice = await sign_up(client, "alice@example.com")
        id = await wait_for_a_route(client, alice)
        await change(app.state.services, "created_at = now() - interval '20 seconds'", id)
        app.state.services.generations._queue._others_wait = False
        while (await order(client, alice))[1] == "running":
            await asyncio.sleep(0.1)
        await change(app.state.services, "not_before = now() + interval '1 minute'", id)
        while (await order(client, alice))[1] == "queued":
            await asyncio.sleep(0.1)
