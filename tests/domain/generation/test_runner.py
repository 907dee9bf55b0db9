"""What becomes of work whose process died, fell asleep or is shut down."""

import asyncio
import io
import secrets

import pytest
from httpx2 import AsyncClient, get
from PIL import Image

from nanobanana.domain.generation import repository
from nanobanana.domain.generation.types import Generation, Made
from nanobanana.domain.images import rules
from nanobanana.domain.images.names import new_name
from nanobanana.kit.ids import new_id
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person

PICTURE = Made(image_format="png", image_bytes=1, image_place="store")


@pytest.fixture
def google_key() -> str:
    """A key of this test's own, so that the sandbox counts its calls apart."""
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def settings(settings: Settings, sandbox_url: str, google_key: str) -> Settings:
    google = Settings(gemini_api_key=google_key, gemini_base_url=sandbox_url)
    return settings.model_copy(
        update={"gemini_api_key": google.gemini_api_key, "gemini_base_url": google.gemini_base_url}
    )


@pytest.fixture
async def abandoned(services: Services, alice: Person) -> Generation:
    """A row that a process admitted and then left by dying."""
    return await _abandon(services, alice, prompt="a banana", attempt=1)


async def _abandon(services: Services, person: Person, *, prompt: str, attempt: int) -> Generation:
    bearer = await services.api_keys.resolve(person.key)
    rows = await services.database.statement(
        """
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, image_name,
                                 state, attempt, lost_attempts, lease_until)
        values (%(id)s, %(account_id)s, %(key_id)s, 'live', %(prompt)s, '1024x1024', 'natural', %(name)s,
                'running', %(attempt)s, %(attempt)s - 1, now() - interval '1 second')
        returning id
        """,
        {
            "id": new_id("gen"),
            "account_id": bearer.account_id,
            "key_id": bearer.api_key_id,
            "prompt": prompt,
            "name": new_name(new_id("gen")),
            "attempt": attempt,
        },
    )
    return await services.generations.get(rows[0]["id"], account_id=bearer.account_id)


async def _finished(services: Services, generation: Generation) -> dict[str, object]:
    async with asyncio.timeout(20):
        while True:
            rows = await services.database.statement(
                "select * from generations where id = %(id)s", {"id": generation.id}
            )
            if rows[0]["state"] != "running":
                return rows[0]
            await asyncio.sleep(0.02)


def _calls_to_google(settings: Settings, google_key: str) -> int:
    return len(get(f"{settings.sandbox_url}/_sandbox/calls", params={"key": google_key}).json()["calls"])


async def test_work_left_behind_is_finished_by_another(
    services: Services, settings: Settings, google_key: str, abandoned: Generation
) -> None:
    await services.runner.take_over()

    row = await _finished(services, abandoned)

    assert (row["state"], row["attempt"]) == ("succeeded", 2)
    assert _calls_to_google(settings, google_key) == 1


async def test_a_picture_that_was_stored_before_the_crash_is_captured_not_made_again(
    services: Services, settings: Settings, google_key: str, abandoned: Generation
) -> None:
    encoded = io.BytesIO()
    Image.new("RGB", (1024, 1024)).save(encoded, "PNG")
    await services.images.keep(abandoned.image_name, rules.inspect(encoded.getvalue()), keep_s=None)

    await services.runner.take_over()

    row = await _finished(services, abandoned)
    assert (row["state"], row["image_format"], row["image_bytes"]) == ("succeeded", "png", encoded.tell())
    assert _calls_to_google(settings, google_key) == 0


async def test_google_is_asked_twice_at_most(
    services: Services, settings: Settings, google_key: str, alice: Person
) -> None:
    twice_abandoned = await _abandon(services, alice, prompt="a banana", attempt=2)

    await services.runner.take_over()

    row = await _finished(services, twice_abandoned)
    assert (row["state"], row["error_code"]) == ("failed", "upstream_unavailable")
    assert _calls_to_google(settings, google_key) == 0


async def test_of_many_who_take_over_only_one_gets_the_row(services: Services, abandoned: Generation) -> None:
    taken = await asyncio.gather(
        *(repository.take_over(services.database, limit=20, own=[]) for _ in range(20))
    )

    assert [work.generation.id for works in taken for work in works] == [abandoned.id]


async def test_a_row_under_its_lease_is_left_alone(services: Services, abandoned: Generation) -> None:
    assert await repository.renew_leases(services.database, {abandoned.id: 1}) == {abandoned.id}

    assert await repository.take_over(services.database, limit=20, own=[]) == []


async def test_who_slept_through_its_lease_settles_nothing(services: Services, abandoned: Generation) -> None:
    (work,) = await repository.take_over(services.database, limit=1, own=[])

    late = await repository.settle(services.database, abandoned, PICTURE, refusals_per_day=50)
    renewed = await repository.renew_leases(services.database, {abandoned.id: abandoned.attempt})
    settled = await repository.settle(services.database, work.generation, PICTURE, refusals_per_day=50)
    again = await repository.settle(services.database, work.generation, PICTURE, refusals_per_day=50)

    assert late is None
    assert renewed == set()
    assert settled
    assert settled.state == "succeeded"
    assert again is None


async def test_work_whose_row_was_taken_is_given_up(
    services: Services, client: AsyncClient, alice: Person
) -> None:
    response = await client.post(
        "/v1/generate",
        json={"prompt": "a banana [sandbox:latency=30]"},
        headers={**alice.by_key, "Prefer": "wait=0"},
    )
    await services.database.statement("update generations set attempt = 2", {})

    await services.runner.renew_leases()

    async with asyncio.timeout(5):
        while services.runner._tasks:
            await asyncio.sleep(0.01)
    shown = await client.get(response.headers["location"], headers=alice.by_key)
    assert shown.json()["status"] == "running"


async def test_a_shutdown_finishes_what_ends_in_time_and_hands_over_the_rest_at_once(
    services: Services, client: AsyncClient, alice: Person
) -> None:
    for latency in (0.3, 30):
        await client.post(
            "/v1/generate",
            json={"prompt": f"a banana [sandbox:latency={latency}]"},
            headers={**alice.by_key, "Prefer": "wait=0"},
        )

    await services.runner.drain(grace_s=3)

    rows = await services.database.statement("select state, lost_attempts from generations order by id", {})
    assert [(row["state"], row["lost_attempts"]) for row in rows] == [("succeeded", 0), ("queued", 1)]


async def test_who_slept_through_its_lease_and_finds_its_row_free_goes_on_without_asking_google_again(
    services: Services, settings: Settings, google_key: str, client: AsyncClient, alice: Person
) -> None:
    call = asyncio.create_task(
        client.post("/v1/generate", json={"prompt": "a banana [sandbox:latency=1.5]"}, headers=alice.by_key)
    )
    async with asyncio.timeout(5):
        while not _calls_to_google(settings, google_key):
            await asyncio.sleep(0.02)
    await services.database.statement("update generations set lease_until = now() - interval '1 second'", {})

    assert await services.runner.take_over() == 0
    await services.runner.renew_leases()

    assert (await call).status_code == 200
    rows = await services.database.statement("select state, attempt from generations", {})
    assert [(row["state"], row["attempt"]) for row in rows] == [("succeeded", 1)]
    assert _calls_to_google(settings, google_key) == 1


async def test_a_caller_whose_work_is_handed_over_at_a_shutdown_gets_202(
    services: Services, client: AsyncClient, alice: Person
) -> None:
    call = asyncio.create_task(
        client.post("/v1/generate", json={"prompt": "a banana [sandbox:latency=30]"}, headers=alice.by_key)
    )
    async with asyncio.timeout(5):
        while not services.runner._tasks:
            await asyncio.sleep(0.02)

    await services.runner.drain(grace_s=0.1)

    assert (await call).status_code == 202
