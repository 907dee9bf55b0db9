"""All living pictures from one store to the other, as they are, whatever happens on the way."""

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from nanobanana.domain.images.names import new_name, thumbnail
from nanobanana.domain.inventory.move import Move
from nanobanana.domain.inventory.service import Inventory
from nanobanana.domain.inventory.types import Failure, ListedStore, Moved
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.storage.database import Database
from tests.domain.inventory.shelf import PICTURE, Shelf, all_files, put_all
from tests.domain.inventory.test_comparison import found


async def moved_by(move: Move) -> tuple[Moved, list[Failure]]:
    moved = Moved()
    return moved, [failure async for failures in move.run(moved) for failure in failures]


async def kept(shelf: Shelf, store: ListedStore, count: int) -> list[str]:
    """Pictures of three days and more."""
    names = [f"{shelf.row(shelf.new_id(days_ago=number % 3))}.png" for number in range(count)]
    await put_all(store, names)
    return names


async def test_what_lives_is_copied_there_and_back_with_thumbnails_and_the_source_stays(
    database: Database, shelf: Shelf, folder: LocalFolder, bucket: ListedStore
) -> None:
    names = await kept(shelf, folder, 5)
    second = shelf.row(shelf.new_id(days_ago=2), attempt=2, expires_in="1 day")
    small = thumbnail(names[0].removesuffix(".png"))
    await put_all(folder, [f"{second}-2.png", small], b"another")
    for dead in (
        shelf.row(shelf.new_id(days_ago=2), expires_in="-1 s"),
        shelf.row(shelf.new_id(days_ago=2), place=None),
        shelf.row(shelf.new_id(days_ago=2), state="failed"),
    ):
        await put_all(folder, [f"{dead}.png"])
    shelf.row(shelf.new_id(days_ago=2), place="waiting")
    before = await all_files(folder)

    there, failures = await moved_by(Move(database, source=folder, target=bucket))
    again, _ = await moved_by(Move(database, source=folder, target=bucket))

    assert failures == []
    assert await all_files(folder) == before
    assert await all_files(bucket) == {*names, small, f"{second}-2.png"}
    assert await bucket.get(names[0]) == PICTURE
    assert await bucket.get(small) == b"another"
    assert (there.pictures, there.copied, there.there_before) == (6, 6, 0)
    assert (again.pictures, again.copied, again.there_before) == (6, 0, 6)

    back = LocalFolder(folder.file("").parent / "back")
    returned, failures = await moved_by(Move(database, source=bucket, target=back))
    assert (returned.copied, failures) == (6, [])
    assert await all_files(back) == await all_files(bucket)


async def test_copies_expire_for_caches_when_their_rows_do(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    class Noting(LocalFolder):
        async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
            noted[name] = keep_s
            await super().put(name, data, keep_s=keep_s)

    noted: dict[str, int | None] = {}
    for_good = f"{shelf.row(shelf.new_id(days_ago=2))}.png"
    for_an_hour = f"{shelf.row(shelf.new_id(days_ago=2), expires_in='1 hour')}.png"
    await put_all(folder, [for_good, for_an_hour])

    await moved_by(Move(database, source=folder, target=Noting(folder.file("").parent / "target")))

    assert noted[for_good] is None
    assert 3_500 < (noted[for_an_hour] or 0) <= 3_600


async def test_what_cannot_be_copied_is_named_and_the_rest_is_copied(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    class Forgetful(LocalFolder):
        async def get(self, name: str) -> bytes | None:
            return b"PICTURE" if name == garbled else await super().get(name)

    target = Forgetful(folder.file("").parent / "target")
    garbled, *whole = await kept(shelf, folder, 3)
    missing = f"{shelf.row(shelf.new_id(days_ago=1))}.png"
    short = f"{shelf.row(shelf.new_id(days_ago=1), size=8)}.png"
    old = f"{shelf.row(shelf.new_id(days_ago=1), image_name='ab/abcdefghij')}.png"
    await put_all(folder, [short, old])

    moved, failures = await moved_by(Move(database, source=folder, target=target))

    assert {failure.name: failure.reason for failure in failures} == {
        garbled: "was not the same when it was read back",
        missing: "is not in the store",
        short: "has 7 bytes in the store instead of 8",
        old: "has a name that nobody serves",
    }
    assert (moved.pictures, moved.copied, moved.failed) == (6, 2, 4)
    assert await all_files(target) == set(whole)


async def test_what_is_there_with_another_size_is_copied_anew(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    target = LocalFolder(folder.file("").parent / "target")
    longer, other = await kept(shelf, folder, 2)
    await put_all(target, [longer], b"a longer picture")
    await put_all(target, [other], b"PICTURE")

    moved, _ = await moved_by(Move(database, source=folder, target=target))

    assert (moved.copied, moved.there_before) == (1, 1)
    assert (await target.get(longer), await target.get(other)) == (PICTURE, b"PICTURE")


async def test_a_recheck_replaces_what_is_broken_by_what_is_whole_and_nothing_else(
    database: Database, shelf: Shelf, folder: LocalFolder, bucket: ListedStore
) -> None:
    whole, other = (_png(color) for color in ("yellow", "green"))
    broken = b"broken".ljust(len(whole), b"!")
    names = {}
    for case in [(whole, broken), (broken, whole), (whole, other), (broken, broken[::-1]), (whole, whole)]:
        names[case] = f"{shelf.row(shelf.new_id(days_ago=2), size=len(whole))}.png"
        for store, data in zip((folder, bucket), case, strict=True):
            await put_all(store, [names[case]], data)

    moved, failures = await moved_by(Move(database, source=folder, target=bucket, recheck=True))

    for (source, target), name in names.items():
        mended = (source, target) == (whole, broken)
        assert (await folder.get(name), await bucket.get(name)) == (source, source if mended else target)
    assert (moved.copied, moved.there_before) == (1, 2)
    assert {failure.name: failure.reason.partition(", and ")[2] for failure in failures} == {
        names[whole, other]: "both are whole pictures: it was left as it is",
        names[broken, broken[::-1]]: "neither is a whole picture: it was left as it is",
    }


def _png(color: str) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(encoded, "PNG")
    return encoded.getvalue()


async def test_what_ended_between_two_runs_is_gone_from_the_target_after_the_second(
    database: Database, shelf: Shelf, folder: LocalFolder, bucket: ListedStore
) -> None:
    names = await kept(shelf, folder, 4)
    await put_all(folder, [thumbnail(name.removesuffix(".png")) for name in names])
    await moved_by(Move(database, source=folder, target=bucket))
    strangers = [f"{new_name(shelf.new_id(days_ago=2))}.png"]
    await put_all(bucket, strangers)
    deleted, purged, expired, _ = names
    for name, change in {
        deleted: "image_place = null, image_state = 'deleted', expires_at = now()",
        purged: "image_place = null, image_state = 'expired', expires_at = now()",
        # The purge's, which deletes it from the store in use before its row says so.
        expired: "expires_at = now()",
    }.items():
        shelf.change(f"update generations set {change} where image_name = '{name.removesuffix('.png')}'")
    before = await all_files(folder)

    moved, failures = await moved_by(Move(database, source=folder, target=bucket))

    ended = {file for name in (deleted, purged) for file in (name, thumbnail(name.removesuffix(".png")))}
    assert await all_files(bucket) == before - ended | set(strangers)
    assert await all_files(folder) == before
    assert (moved.removed, moved.pictures, failures) == (4, 1, [])


async def test_after_the_switch_it_fetches_what_came_in_between(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    target = LocalFolder(folder.file("").parent / "target")
    await kept(shelf, folder, 3)
    await moved_by(Move(database, source=folder, target=target))
    in_between = await kept(shelf, folder, 1)
    since = await kept(shelf, target, 1)

    moved, failures = await moved_by(Move(database, source=folder, target=target, recheck=True))

    assert (moved.copied, moved.there_before, failures) == (1, 4, [])
    assert {*in_between, *since} <= await all_files(target)
    assert await found(Inventory(database, store=target)) == set()


async def test_what_its_owner_deletes_meanwhile_is_no_failure(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    class Deleted(LocalFolder):
        async def get(self, name: str) -> bytes | None:
            shelf.change("update generations set image_place = null, image_state = 'deleted'")
            await self.delete([name])
            return await super().get(name)

    source = Deleted(folder.file(""))
    await kept(shelf, source, 2)

    moved, failures = await moved_by(
        Move(database, source=source, target=LocalFolder(folder.file("").parent / "target"))
    )

    assert (moved.pictures, moved.gone, failures) == (2, 2, [])


async def test_what_its_owner_deletes_while_it_is_copied_is_not_left_in_the_target(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    class DeletedFirst(LocalFolder):
        async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
            if name == deleted:
                shelf.change(
                    f"update generations set expires_at = now() where image_name || '.png' = '{deleted}'"
                )
                await self.delete([name])
            await super().put(name, data, keep_s=keep_s)

    deleted, stays = await kept(shelf, folder, 2)
    await put_all(folder, [thumbnail(deleted.removesuffix(".png"))])
    target = DeletedFirst(folder.file("").parent / "target")

    moved, failures = await moved_by(Move(database, source=folder, target=target))

    assert await all_files(target) == {stays}
    assert (moved.copied, moved.gone, failures) == (1, 1, [])


@pytest.mark.parametrize("broken", [19, 40])
async def test_stores_that_fail_again_and_again_end_the_move(
    database: Database, shelf: Shelf, folder: LocalFolder, broken: int
) -> None:
    class Broken(LocalFolder):
        async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
            if name in unlucky:
                tried.append(name)
                raise StoreError("no")
            await super().put(name, data, keep_s=keep_s)

    unlucky: Sequence[str] = []
    tried: list[str] = []
    names = sorted(await kept(shelf, folder, 40))
    unlucky = names[:broken]
    move = Move(database, source=folder, target=Broken(folder.file("").parent / "target"))

    if broken == 19:
        moved, failures = await moved_by(move)
        assert (moved.copied, len(failures)) == (21, 19)
    else:
        with pytest.raises(StoreError, match="again and again"):
            await moved_by(move)
        assert len(tried) < 28  # the twentieth, and those that were under way with it
