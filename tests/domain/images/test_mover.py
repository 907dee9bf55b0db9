"""What waits comes to the store once, whoever dies, sleeps or deletes it meanwhile."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from nanobanana.domain.images import waiting_repository as repository
from nanobanana.domain.images.guarded_store import GuardedStore
from nanobanana.domain.images.mover import Mover
from nanobanana.domain.images.names import new_name
from nanobanana.domain.images.repository import DatabaseStore
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import ImagePlace, Picture
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import Database


class SlowFolder(LocalFolder):
    """Works, fails, or holds who puts something until it goes on."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fails = False
        self.put_began = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        if self.fails:
            raise StoreError("it fails")
        self.put_began.set()
        await self.goes_on.wait()
        await super().put(name, data, keep_s=keep_s)


class Bench:
    """One process's images, and rows to go with them."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.root = root
        self.folder = SlowFolder(root)
        self.store = GuardedStore(self.folder)
        self.waiting_room = WaitingRoom(database, max_bytes=2**30)
        self.images = Images(self.store, waiting=self.waiting_room)
        self.mover = Mover(database, store=self.store, leisurely=self.folder)

    async def wait(self, data: bytes = b"picture", *, settled: bool = True) -> str:
        """The name of a picture that waits, whose attempt has settled it or not."""
        id = new_id("gen")
        name = new_name(id)
        self.folder.fails = True
        picture = Picture(data=data, format="png", width=1, height=1)
        assert await self.images.keep(name, picture, keep_s=None) == "waiting"
        self.folder.fails, self.store.is_away = False, False
        await self.database.statement(
            """
            insert into generations (id, account_id, api_key_id, mode, prompt, size, style, image_name, state, attempt,
                                     finished_at, lease_until, image_state, image_place)
            select %(id)s, account_id, id, 'live', 'a banana', '1024x1024', 'natural', %(name)s,
                   case when %(settled)s then 'succeeded' else 'running' end, 1,
                   case when %(settled)s then now() end, case when %(settled)s then null else now() end,
                   case when %(settled)s then 'kept' end, case when %(settled)s then 'waiting' end
            from api_keys
            """,
            {"id": id, "name": name, "settled": settled},
        )
        return name

    async def place(self, name: str) -> ImagePlace | None:
        rows = await self.database.statement(
            "select image_place from generations where image_name = %(name)s", {"name": name}
        )
        return rows[0]["image_place"]

    async def empty_row(self, name: str) -> None:
        """As whoever deletes a picture does after its files."""
        await self.database.statement(
            "update generations set image_place = null where image_name = %(name)s", {"name": name}
        )

    async def waits(self) -> int:
        return (await self.database.statement("select count(*) as number from image_bytes", {}))[0]["number"]

    async def end_leases(self) -> None:
        await self.database.statement("update image_bytes set lease_until = now() - interval '1 s'", {})

    def files(self) -> dict[str, bytes]:
        return {str(file.relative_to(self.root)): file.read_bytes() for file in self.root.rglob("*.*")}


@pytest.fixture
async def bench(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(repository, "_SETTLED_WITHIN", "interval '0'")
    database = Database(database_url)
    await database.open()
    await database.statement(
        """
        insert into accounts (id, email, email_folded, password_hash, plan)
        values ('acc_a', 'alice@example.com', 'alice@example.com', 'hash', 'free')
        """,
        {},
    )
    await database.statement(
        """
        insert into api_keys (id, account_id, mode, name, hash, last4)
        values ('key_a', 'acc_a', 'live', '', sha256('a'), 'abcd')
        """,
        {},
    )
    yield Bench(database, tmp_path)
    await database.close()


async def test_several_movers_bring_each_picture_once(bench: Bench) -> None:
    names = [await bench.wait(b"picture %d" % number) for number in range(12)]
    await bench.waiting_room.look()
    assert not bench.waiting_room.is_full

    await asyncio.gather(
        *(Mover(bench.database, store=bench.store, leisurely=bench.folder).move_waiting() for _ in range(3))
    )

    assert bench.files() == {f"{name}.png": b"picture %d" % number for number, name in enumerate(names)}
    assert {await bench.place(name) for name in names} == {"store"}
    assert await bench.waits() == 0


async def test_who_goes_on_where_another_was_killed_changes_nothing_that_is_there(bench: Bench) -> None:
    name = await bench.wait()
    assert await repository.claim(bench.database, limit=1) == [f"{name}.png"]
    await bench.store.put(f"{name}.png", b"picture", keep_s=None)  # and then it was killed
    await bench.mover.move_waiting()
    assert await bench.place(name) == "waiting"

    await bench.end_leases()
    await bench.mover.move_waiting()

    assert (await bench.place(name), bench.files()) == ("store", {f"{name}.png": b"picture"})


async def test_what_is_deleted_on_its_way_leaves_no_file(bench: Bench) -> None:
    name = await bench.wait()
    bench.folder.goes_on.clear()
    moving = asyncio.create_task(bench.mover.move_waiting())
    await bench.folder.put_began.wait()

    await bench.images.delete_pictures([(name, "png")])
    async with bench.images.data_url(name, "png") as url:
        assert url is None
    bench.folder.goes_on.set()
    await moving
    await bench.empty_row(name)

    assert (bench.files(), await bench.waits(), await bench.place(name)) == ({}, 0, None)


async def test_of_what_is_deleted_while_its_mover_is_dead_the_next_one_deletes_the_file(bench: Bench) -> None:
    name = await bench.wait()
    await repository.claim(bench.database, limit=1)
    await bench.images.delete(name)
    await bench.empty_row(name)
    await bench.store.put(f"{name}.png", b"picture", keep_s=None)  # on its way when it was killed

    await bench.end_leases()
    await bench.mover.move_waiting()

    assert (bench.files(), await bench.waits()) == ({}, 0)


async def test_who_slept_through_its_lease_leaves_what_another_has_moved(bench: Bench) -> None:
    name = await bench.wait()
    bench.folder.goes_on.clear()
    sleeper = asyncio.create_task(bench.mover.move_waiting())
    await bench.folder.put_began.wait()
    await bench.end_leases()
    folder = LocalFolder(bench.root)
    other = Mover(bench.database, store=GuardedStore(folder), leisurely=folder)
    await other.move_waiting()
    assert await bench.place(name) == "store"

    bench.folder.goes_on.set()
    await sleeper

    assert (await bench.place(name), bench.files()) == ("store", {f"{name}.png": b"picture"})


async def test_what_was_never_settled_waits_until_its_generation_has_ended_without_it_and_a_day(
    bench: Bench,
) -> None:
    left = await bench.wait(settled=False)
    await bench.database.statement(
        "update generations set image_name = %(name)s, attempt = 2", {"name": f"{left}-2"}
    )
    for age, state, number in (
        ("0 hours", "running", 1),
        ("25 hours", "running", 1),
        ("25 hours", "queued", 1),
        ("23 hours", "failed", 1),
        ("25 hours", "failed", 0),
    ):
        await bench.database.statement(
            """
            update generations set state = %(state)s, finished_at = case when %(state)s = 'failed' then now() end,
                                   lease_until = case when %(state)s = 'running' then now() end
            """,
            {"state": state},
        )
        await bench.database.statement(
            "update image_bytes set created_at = now() - %(age)s::interval, lease_until = null", {"age": age}
        )
        await bench.mover.move_waiting()
        assert (bench.files(), await bench.waits()) == ({}, number), (age, state)
    assert await bench.place(f"{left}-2") is None


async def test_what_is_deleted_goes_also_from_the_bytes_of_a_service_that_had_no_store(bench: Bench) -> None:
    by_row, by_name, stays = (new_name(new_id("gen")) for _ in range(3))
    before = DatabaseStore(bench.database)
    for name in (by_row, by_name, stays):
        await before.put(f"{name}.png", b"picture", keep_s=None)

    await bench.images.delete_pictures([(by_row, "png")])
    await bench.images.delete(by_name)

    assert [await before.has(f"{name}.png") for name in (by_row, by_name, stays)] == [False, False, True]
    assert await bench.waits() == 1


async def test_who_takes_over_adopts_what_waits_also_while_the_store_is_away(bench: Bench) -> None:
    data = io.BytesIO()
    Image.new("RGB", (64, 64)).save(data, "PNG")
    name = await bench.wait(data.getvalue(), settled=False)

    bench.store.is_away = True
    second = await bench.images.adopt(f"{name}-2", keep_s=None)
    bench.store.is_away = False
    third = await bench.images.adopt(f"{name}-3", keep_s=None)
    await bench.mover.move_waiting()

    assert second
    assert third
    assert [(picture.data, place) for picture, place in (second, third)] == [
        (data.getvalue(), "waiting"),
        (data.getvalue(), "store"),
    ]
    assert (bench.files(), await bench.waits()) == ({f"{name}-3.png": data.getvalue()}, 0)


async def test_a_store_that_fails_is_left_alone_and_what_waits_stays(bench: Bench) -> None:
    """Callers' pictures alone tell whether it is away: a line that is too slow for the mover may do for them."""
    names = [await bench.wait() for _ in range(6)]
    bench.folder.fails = True

    for _ in range(3):
        await bench.mover.move_waiting()
    assert not bench.store.is_away
    bench.store.is_away = True
    bench.folder.fails = False
    await bench.mover.move_waiting()
    assert (bench.files(), await bench.waits()) == ({}, 6)

    await bench.store.probe()
    await bench.mover.move_waiting()
    assert set(bench.files()) == {f"{name}.png" for name in names}
