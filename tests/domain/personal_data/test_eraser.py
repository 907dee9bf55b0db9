"""Pictures and prompts of erased accounts: gone, in this order, whatever happens on the way."""

import asyncio
import sys

import pytest
from httpx2 import AsyncClient

from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.worker import jobs
from tests.people import PASSWORD, Person, sign_up
from tests.rows import insert_generations


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The timetable does not erase here: the tests say when."""
    timetable = jobs.timetable
    monkeypatch.setattr(
        "nanobanana.worker.process.timetable",
        lambda services: [job for job in timetable(services) if job.name != "erase_accounts"],
    )
    return settings


async def erase(client: AsyncClient, person: Person) -> None:
    body = {"current_password": PASSWORD}
    erased = await client.request("DELETE", "/v1/account", json=body, headers=person.by_session)
    assert erased.status_code == 202


def put_pictures(settings: Settings, names: list[str]) -> None:
    store = LocalFolder(settings.image_dir)
    for name in names:
        store.file(name).parent.mkdir(parents=True, exist_ok=True)
        store.file(name).write_bytes(b"picture")


def pictures(settings: Settings) -> set[str]:
    return {
        str(file.relative_to(settings.image_dir)) for file in settings.image_dir.rglob("*") if file.is_file()
    }


async def emptied(services: Services) -> set[str]:
    """The pictures of the rows that are done with."""
    rows = await services.database.statement(
        """
        select image_name || '.png' as name from generations
        where prompt = '' and image_place is null and image_state = 'deleted'
        """,
        {},
    )
    return {row["name"] for row in rows}


async def finished(services: Services) -> list[bool]:
    rows = await services.database.statement(
        "select erasure_finished_at is not null as finished from accounts where erased_at is not null", {}
    )
    return [row["finished"] for row in rows]


async def a_minute_later(services: Services) -> None:
    await services.database.statement(
        "update accounts set erasure_lease_until = erasure_lease_until - interval '1 minute'", {}
    )


async def test_what_a_kill_9_interrupts_is_finished_by_another(
    client: AsyncClient, alice: Person, services: Services, settings: Settings, database_url: str
) -> None:
    names = insert_generations(database_url, alice, count=600)
    put_pictures(settings, names)
    await erase(client, alice)

    command = [sys.executable, "-m", "tests.domain.personal_data.erase_due", database_url]
    process = await asyncio.create_subprocess_exec(*command, str(settings.image_dir))
    async with asyncio.timeout(30):
        while not await emptied(services):
            await asyncio.sleep(0.005)
    process.kill()
    await process.wait()

    done, left = await emptied(services), pictures(settings)
    assert 0 < len(done) < 600
    assert not done & left
    assert await finished(services) == [False]
    await services.eraser.erase_due()
    assert pictures(settings) == left  # under the lease of the dead process

    await a_minute_later(services)
    await services.eraser.erase_due()

    assert await emptied(services) == set(names)
    assert pictures(settings) == set()
    assert await finished(services) == [True]


async def test_a_store_that_fails_keeps_no_prompts_nor_other_pictures_and_holds_up_nobody_else(
    client: AsyncClient,
    alice: Person,
    charlie: Person,
    services: Services,
    settings: Settings,
    database_url: str,
) -> None:
    in_the_way, *names = insert_generations(database_url, alice, count=102)
    put_pictures(settings, names)
    folder = LocalFolder(settings.image_dir).file(in_the_way)
    folder.mkdir()
    await erase(client, alice)
    await services.database.statement("update accounts set erasure_lease_until = '-infinity'", {})
    await erase(client, charlie)

    await services.eraser.erase_due()
    assert sorted(await finished(services)) == [False, True]
    assert await services.database.statement("select id from generations where prompt <> ''", {}) == []
    assert pictures(settings) == set()
    assert in_the_way not in await emptied(services)

    folder.rmdir()
    await a_minute_later(services)
    await services.eraser.erase_due()
    assert await emptied(services) == {in_the_way, *names}
    assert await finished(services) == [True, True]


async def test_the_store_is_looked_around_in_only_where_an_attempt_may_have_left_more(
    client: AsyncClient,
    alice: Person,
    services: Services,
    settings: Settings,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = insert_generations(database_url, alice, count=4)
    for number, change in enumerate((
        "attempt = 2, image_name = image_name || '-2'",
        "state = 'failed', image_state = null, image_place = null, image_format = null",
        "state = 'cancelled', attempt = 0, image_state = null, image_place = null, image_format = null",
    )):  # fmt: skip
        await services.database.statement(
            f"update generations set {change} where id = %(id)s", {"id": f"gen_{number:022}"}
        )
    looked = list[str]()
    all_names = LocalFolder.names

    async def look(self: LocalFolder, beginning: str) -> list[str]:
        looked.append(f"{beginning}.png")
        return await all_names(self, beginning)

    monkeypatch.setattr(LocalFolder, "names", look)
    put_pictures(settings, [*names[:2], names[0].replace(".png", "-2.jpg#1"), names[3]])
    await erase(client, alice)

    await services.eraser.erase_due()

    assert looked == names[:2]
    assert pictures(settings) == set()
    assert await finished(services) == [True]


async def test_many_processes_share_the_accounts(
    client: AsyncClient, services: Services, settings: Settings, database_url: str
) -> None:
    people = [await sign_up(client, f"person{number}@example.com") for number in range(3)]
    for number, person in enumerate(people):
        with_other_ids = {"count": 120, "prompt": "a banana", "first": number * 1_000}
        put_pictures(settings, insert_generations(database_url, person, **with_other_ids))
        await erase(client, person)

    await asyncio.gather(*(services.eraser.erase_due() for _ in range(4)))

    assert await finished(services) == [True] * 3
    assert len(await emptied(services)) == 360
    assert pictures(settings) == set()


@pytest.mark.parametrize("image_store", ["local", "none"])
class TestRunningGeneration:
    @pytest.fixture
    def settings(self, settings: Settings, image_store: str) -> Settings:
        return settings.model_copy(update={"image_store": image_store})

    async def test_its_picture_and_prompt_are_erased_once_it_has_ended(
        self, client: AsyncClient, alice: Person, services: Services, settings: Settings
    ) -> None:
        body = {"prompt": "a late banana [sandbox:latency=1]"}
        await client.post("/v1/generate", json=body, headers={**alice.by_key, "Prefer": "wait=0"})
        await erase(client, alice)
        await services.eraser.erase_due()
        assert await finished(services) == [False]

        await ended(services)
        assert await stored(services, settings) == 1
        await a_minute_later(services)
        await services.eraser.erase_due()

        rows = await services.database.statement("select state, image_state, prompt from generations", {})
        assert rows == [{"state": "succeeded", "image_state": "deleted", "prompt": ""}]
        assert await stored(services, settings) == 0
        assert await finished(services) == [True]


async def ended(services: Services) -> None:
    async with asyncio.timeout(20):
        while await services.database.statement("select id from generations where state = 'running'", {}):
            await asyncio.sleep(0.02)


async def stored(services: Services, settings: Settings) -> int:
    rows = await services.database.statement("select count(*) as count from image_bytes", {})
    return len(pictures(settings)) + int(rows[0]["count"])


async def test_what_an_attempt_stores_that_slept_through_its_lease_and_the_erasure_goes_too(
    client: AsyncClient, alice: Person, services: Services, settings: Settings
) -> None:
    body = {"prompt": "a late banana [sandbox:latency=1]"}
    await client.post("/v1/generate", json=body, headers={**alice.by_key, "Prefer": "wait=0"})
    other = "update generations set state = 'failed', attempt = 2, lease_until = null, finished_at = now()"
    await services.database.statement(other, {})
    await erase(client, alice)
    await services.eraser.erase_due()
    assert await finished(services) == [True]

    async with asyncio.timeout(20):
        while services.runner._tasks:
            await asyncio.sleep(0.02)

    assert pictures(settings) == set()


async def test_names_and_networks_of_keys_go_also_of_revoked_ones(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    settings = {"name": "secret project", "allowed_addresses": ["203.0.113.0/24"]}
    for _ in range(3):
        made = await client.post("/v1/keys", json=settings, headers=alice.by_session)
        await client.delete(f"/v1/keys/{made.json()['id']}", headers=alice.by_session)
    await client.post("/v1/keys", json=settings, headers=alice.by_session)
    await erase(client, alice)

    (job,) = [job for job in jobs.timetable(services) if job.name == "erase_accounts"]
    await job.run()

    rows = await services.database.statement("select distinct name, allowed_addresses from api_keys", {})
    assert rows == [{"name": "", "allowed_addresses": None}]


async def test_a_picture_that_expired_before_stays_expired(
    client: AsyncClient, alice: Person, services: Services, database_url: str
) -> None:
    insert_generations(database_url, alice, count=1)
    await services.database.statement("update generations set image_state = 'expired'", {})
    await erase(client, alice)

    await services.eraser.erase_due()

    rows = await services.database.statement("select image_state, prompt from generations", {})
    assert rows == [{"image_state": "expired", "prompt": ""}]


async def test_a_row_that_is_empty_already_still_loses_its_picture(
    client: AsyncClient, alice: Person, services: Services, settings: Settings, database_url: str
) -> None:
    """Whoever deletes or purges a picture takes the prompt first, and may be killed before the file is gone."""
    put_pictures(settings, insert_generations(database_url, alice, count=1))
    await services.database.statement("update generations set image_state = 'expired', prompt = ''", {})
    await erase(client, alice)

    await services.eraser.erase_due()

    assert pictures(settings) == set()
    rows = await services.database.statement("select image_state, image_place from generations", {})
    assert rows == [{"image_state": "expired", "image_place": None}]
