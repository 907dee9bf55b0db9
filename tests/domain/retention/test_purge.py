"""Pictures whose time is up are gone, with their prompts, whatever happens on the way; and no other is."""

import asyncio
import sys
from pathlib import Path
from typing import Any, LiteralString

import pytest
from httpx2 import AsyncClient

from nanobanana.domain.billing import repository as billing_repository
from nanobanana.domain.images.names import thumbnail
from nanobanana.domain.retention import purge_repository
from nanobanana.domain.retention.service import begin_to_fit
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person
from tests.plans import put_on_plan
from tests.rows import insert_generations


async def sql(services: Services, statement: LiteralString, **parameters: object) -> list[dict[str, Any]]:
    return await services.database.statement(statement, parameters)


async def made(client: AsyncClient, person: Person) -> dict[str, Any]:
    answer = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=person.by_key)
    assert answer.status_code == 200
    return answer.json()


async def seen(client: AsyncClient, services: Services, person: Person, id: str) -> list[tuple[object, ...]]:
    """What becomes of a generation's picture, as GET, list, export and webhooks tell it."""
    one = (await client.get(f"/v1/generations/{id}", headers=person.by_key)).json()
    if error := one.get("error"):
        one = {"image_state": error["code"].removeprefix("image_"), "url": None, "stored": None}
    several = (await client.get("/v1/generations", headers=person.by_key)).json()["data"]
    export = (await client.get("/v1/account/export", headers=person.by_session)).json()["generations"]
    [row] = await sql(services, "select account_id from generations where id = %(id)s", id=id)
    webhook = await services.dispatcher._payloads._image(id, account_id=row["account_id"])
    told = [one, *[row for row in (*several, *export) if row["id"] == id], webhook]
    return [(view["image_state"], view["url"] and _name_in(view["url"]), view["stored"]) for view in told]


def _name_in(url: str) -> str:
    """Webhooks name another host here."""
    return url.partition("/images/")[2]


def put_pictures(settings: Settings, names: list[str]) -> None:
    for name in names:
        file = settings.image_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"picture")


def pictures(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


async def test_what_is_past_its_end_goes_and_nothing_else(
    client: AsyncClient, services: Services, settings: Settings, alice: Person
) -> None:
    gone, deleted, later, for_good = [await made(client, alice) for _ in range(4)]
    for ends, one in (("-1 s", gone), ("-1 s", deleted), ("1 hour", later)):
        await sql(
            services,
            """update generations set expires_at = now() + %(ends)s::interval,
                      image_state = case id when %(deleted)s then 'deleted' else 'kept' end
               where id = %(id)s""",
            id=one["id"], ends=ends, deleted=deleted["id"],
        )  # fmt: skip
    rows = await sql(services, "select id, image_name, image_format from generations")
    row_of = {row["id"]: row for row in rows}
    put_pictures(settings, [thumbnail(row["image_name"]) for row in rows])
    assert await seen(client, services, alice, gone["id"]) == [("expired", None, None)] * 4
    books = await sql(services, "select * from ledger order by id")

    await services.purge.purge()
    await services.purge.purge()

    assert await seen(client, services, alice, gone["id"]) == [("expired", None, None)] * 4
    assert await seen(client, services, alice, deleted["id"]) == [("deleted", None, None)] * 4
    for one in (later, for_good):
        assert await seen(client, services, alice, one["id"]) == [("kept", _name_in(one["url"]), True)] * 4
    left = {row_of[one["id"]]["image_name"] for one in (later, for_good)}
    assert {name.partition(".")[0].removesuffix("_512") for name in pictures(settings.image_dir)} == left
    assert len(pictures(settings.image_dir)) == 4
    told = await sql(services, "select id, prompt, image_place from generations")
    empty = {row["id"] for row in told if (row["prompt"], row["image_place"]) == ("", None)}
    assert empty == {gone["id"], deleted["id"]}
    assert await sql(services, "select * from ledger order by id") == books
    assert await services.billing.reconcile() == []


async def test_a_kill_9_leaves_rows_that_are_found_again_and_living_ones_are_left_alone(
    services: Services, settings: Settings, alice: Person, database_url: str
) -> None:
    names = insert_generations(database_url, alice, count=3_000)
    put_pictures(settings, names)
    await sql(
        services,
        "update generations set expires_at = now() + case when id < %(id)s then interval '-1 s' else '1 day' end",
        id=f"gen_{2_500:022}",
    )

    command = [sys.executable, "-m", "tests.domain.retention.purging", database_url, str(settings.image_dir)]
    process = await asyncio.create_subprocess_exec(*command)
    async with asyncio.timeout(30):
        while len(pictures(settings.image_dir)) == len(names):
            await asyncio.sleep(0.005)
    process.kill()
    await process.wait()

    left = pictures(settings.image_dir)
    finished = await sql(
        services, "select image_name || '.png' as name from generations where image_place is null"
    )
    assert len(left) > len(names[2_500:])
    assert not {row["name"] for row in finished} & left

    await sql(services, "update generations set not_before = not_before - interval '1 minute'")
    # What one has claimed is left to him.
    await asyncio.gather(*(services.purge.purge() for _ in range(3)))

    assert pictures(settings.image_dir) == set(names[2_500:])
    rows = await sql(
        services, "select image_state, image_place, count(*) from generations group by 1, 2 order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [("expired", None, 2_500), ("kept", "store", 500)]


async def test_several_at_once_get_different_pictures(
    services: Services, alice: Person, database_url: str
) -> None:
    insert_generations(database_url, alice, count=2_500)
    await sql(services, "update generations set expires_at = now()")

    claims = await asyncio.gather(*(purge_repository.claim(services.database, after=None) for _ in range(4)))

    ids = [picture.id for claim in claims for picture in claim]
    assert len(set(ids)) == len(ids) == 2_500


async def test_a_picture_that_cannot_be_deleted_stays_on_record_and_holds_up_no_others(
    services: Services, settings: Settings, alice: Person, database_url: str
) -> None:
    names = insert_generations(database_url, alice, count=1_001)
    in_the_way, second, last = LocalFolder(settings.image_dir).file(names[0]), names[1], names[-1]
    in_the_way.mkdir(parents=True)
    put_pictures(settings, [second, last])
    await sql(
        services,
        "update generations set expires_at = now() - interval '1 day' + right(id, 4)::int * interval '1 s'",
    )

    await services.purge.purge()
    assert pictures(settings.image_dir) == {last}
    await services.purge.purge()
    assert pictures(settings.image_dir) == set()
    assert await sql(services, "select count(*) as left from generations where image_place is not null") == [
        {"left": 1_000}
    ]

    in_the_way.rmdir()
    await sql(services, "update generations set not_before = not_before - interval '1 hour'")
    await services.purge.purge()
    assert await sql(services, "select 1 from generations where image_place is not null") == []


@pytest.mark.parametrize("first", ["move", "purge"])
async def test_the_purge_and_a_change_of_plan_agree_which_pictures_live(
    services: Services, settings: Settings, alice: Person, database_url: str, first: str
) -> None:
    """Each comes to the row while the other's transaction is open, which began when the picture's time was not yet up."""
    for_good = await put_on_plan(services, alice, retention_days=None)
    put_pictures(settings, insert_generations(database_url, alice, count=1))
    [row] = await sql(
        services, "update generations set expires_at = now() + interval '1 s' returning account_id as id"
    )

    async with services.database.begin() as connection:
        moved_at = await billing_repository.move(connection, account_id=row["id"], plan=for_good)
        if first == "move":
            await begin_to_fit(connection, account_id=row["id"], moved_at=moved_at)
        await asyncio.sleep(1.1)
        await services.purge.purge()
        if first == "purge":
            await begin_to_fit(connection, account_id=row["id"], moved_at=moved_at)
    await services.people.retention.fit_to_plan(row["id"], moved_at=moved_at)
    await services.purge.purge()

    [row] = await sql(
        services, "select image_state, image_place, expires_at is null as for_good from generations"
    )
    lives = first == "move"
    assert tuple(row.values()) == (("kept", "store", True) if lives else ("expired", None, False))
    assert len(pictures(settings.image_dir)) == lives
