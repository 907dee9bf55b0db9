"""Which rows and files belong together, in every state that a row can be in."""

import io
import os
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from nanobanana.domain.images.names import new_name
from nanobanana.domain.inventory import sweeper
from nanobanana.domain.inventory.rules import read_file
from nanobanana.domain.inventory.service import Inventory
from nanobanana.domain.inventory.sweeper import Sweeper
from nanobanana.domain.inventory.types import Counts, Finding, ListedStore
from nanobanana.integrations.object_store import local
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.metrics import PICTURES_ASTRAY
from nanobanana.storage.database import Database
from tests.domain.inventory.shelf import PICTURE, Shelf, all_files, put_all
from tests.logs import logged_by


@dataclass(frozen=True)
class Case:
    """`row` None: there is none. Files by what stands behind the name of the first attempt; `astray` is what is found of
    them, by their kinds, and of the row, whose kind stands alone."""

    row: dict[str, Any] | None
    files: tuple[str, ...] = ()
    astray: dict[str, str] = field(default_factory=dict)
    of_row: str | None = None
    waiting: bytes | None = None


BOTH = (".png", "_512.webp")
CASES = {
    "kept": Case({}, (".png",)),
    "kept, with a thumbnail": Case({}, BOTH),
    "expires tomorrow": Case({"expires_in": "1 day"}, BOTH),
    "as jpeg": Case({"format": "jpeg"}, (".jpg",)),
    "without its file": Case({}, (), of_row="file_missing"),
    "with the thumbnail alone": Case({}, ("_512.webp",), of_row="file_missing"),
    "of another size": Case({"size": 8}, (".png",), of_row="wrong_size"),
    "in another format": Case({}, (".webp",), {".webp": "row_ended"}, of_row="file_missing"),
    "in two formats": Case({}, (".png", ".jpg"), {".jpg": "row_ended"}),
    "by the second attempt": Case({"attempt": 2}, ("-2.png", "-2_512.webp", ".png"), {".png": "row_ended"}),
    "with a later attempt's file": Case({}, (".png", "-2.png"), {"-2.png": "row_ended"}),
    "running": Case({"state": "running", "attempt": 2}, (".png", "-2.png", "-3.jpg", "_512.webp")),
    "queued": Case({"state": "queued", "attempt": 2}, (".png",)),
    "running without a file": Case({"state": "running"}),
    "failed": Case({"state": "failed"}, BOTH, {".png": "row_ended", "_512.webp": "row_ended"}),
    "failed without a file": Case({"state": "failed"}),
    "expired, for the purge to delete": Case({"expires_in": "-1 s"}, BOTH),
    "expired, half deleted by the purge": Case({"expires_in": "-1 s"}, ("_512.webp",)),
    "expired and purged": Case(
        {"place": None, "expires_in": "-1 s"}, BOTH, {".png": "row_ended", "_512.webp": "row_ended"}
    ),
    "deleted": Case({"place": None}, (".png",), {".png": "row_ended"}),
    "waiting": Case({"place": "waiting"}, waiting=PICTURE),
    "waiting, just put into the store": Case({"place": "waiting"}, (".png",), waiting=PICTURE),
    "waiting without bytes": Case({"place": "waiting"}, of_row="waiting_bytes_missing"),
    "waiting with other bytes": Case({"place": "waiting"}, of_row="waiting_bytes_missing", waiting=b"pic"),
    "waiting and expired": Case({"place": "waiting", "expires_in": "-1 s"}),
    "for a day in the database": Case({"place": "database", "expires_in": "1 hour"}),
    "of no row": Case(None, BOTH, {".png": "row_unknown", "_512.webp": "row_unknown"}),
}


@dataclass(frozen=True)
class Laid:
    """All cases in one store: what is to be found by generation or file, and what files there are."""

    findings: set[tuple[str, str]]
    files: set[str]
    astray: set[str]


async def lay(shelf: Shelf, store: ListedStore, *, days_ago: float, moment: int | None = None) -> Laid:
    laid = Laid(set(), set(), set())
    for case in CASES.values():
        id = shelf.new_id(days_ago=days_ago, moment=moment)
        first = new_name(id) if case.row is None else shelf.row(id, **case.row)
        await put_all(store, [f"{first}{ending}" for ending in case.files])
        if case.waiting:
            shelf.waiting(f"{first}.png", case.waiting)
        laid.files.update(f"{first}{ending}" for ending in case.files)
        laid.astray.update(f"{first}{ending}" for ending in case.astray)
        laid.findings.update((kind, f"{first}{ending}") for ending, kind in case.astray.items())
        if case.of_row:
            laid.findings.add((case.of_row, id))
    return laid


async def found(inventory: Inventory, counts: Counts | None = None) -> set[tuple[str, str]]:
    findings = [finding async for batch in inventory.compare(counts or Counts()) for finding in batch]
    assert len(findings) == len({_key(finding) for finding in findings})
    return {_key(finding) for finding in findings}


def _key(finding: Finding) -> tuple[str, str]:
    return finding.kind, finding.name if finding.is_file else finding.generation_id or ""


async def test_every_row_and_every_file_is_judged_and_nothing_is_changed(
    database: Database, shelf: Shelf, store: ListedStore
) -> None:
    of_old = await lay(shelf, store, days_ago=400)
    at_once = await lay(shelf, store, days_ago=3, moment=1_795_000_000_123)
    of_today = await lay(shelf, store, days_ago=0)
    # What never had such a name of ours is counted and left alone: another day's lies here.
    await put_all(store, [f"2001/01/01/{name[11:]}" for name in sorted(at_once.files)[:2]])
    before, counts = await all_files(store), Counts()

    findings = await found(Inventory(database, store=store), counts)

    assert findings == of_old.findings | at_once.findings | of_today.findings
    assert await all_files(store) == before
    assert counts.rows == 3 * sum(case.row is not None for case in CASES.values())
    assert (counts.files, counts.foreign) == (len(before) - 2, 2)
    assert sum(counts.findings.values()) == len(findings)


async def test_a_sweep_deletes_files_without_rows_that_are_older_than_a_day_and_nothing_else(
    database: Database, shelf: Shelf, store: ListedStore
) -> None:
    old = [await lay(shelf, store, days_ago=days) for days in (400, 1.1)]
    young = await lay(shelf, store, days_ago=0.9)
    everything = await all_files(store)

    await Sweeper(database, store=store).sweep()

    assert await all_files(store) == everything - old[0].astray - old[1].astray
    assert PICTURES_ASTRAY.labels("files_without_rows")._value.get() == 3 * len(young.astray)
    assert PICTURES_ASTRAY.labels("rows_without_files")._value.get() == 3 * sum(
        case.of_row is not None for case in CASES.values()
    )


async def test_a_sweep_logs_a_bounded_number_of_lines_and_no_name_that_a_row_has(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    names = [shelf.row(shelf.new_id(days_ago=2), state="failed") for _ in range(30)]
    await put_all(folder, [f"{name}.png" for name in names])
    for _ in range(30):
        shelf.row(shelf.new_id(days_ago=2))

    with logged_by(sweeper) as lines:
        await Sweeper(database, store=folder).sweep()

    astray = [line["finding"] for line in lines if line["event"] == "picture_astray"]
    assert (astray.count("row_ended"), astray.count("file_missing")) == (20, 20)
    assert not any(name in str(line) for line in lines for name in names)
    assert (lines[-1]["event"], lines[-1]["deleted"]) == ("pictures_swept", 30)
    assert await all_files(folder) == set()


async def test_a_store_full_of_pictures_that_no_row_knows_is_left_alone(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    """The database is another one, or was brought back from before they were made."""
    strangers = {f"{new_name(shelf.new_id(days_ago=2))}.png" for _ in range(3)}
    known = {f"{shelf.row(shelf.new_id(days_ago=2))}.png" for _ in range(2)}
    await put_all(folder, strangers | known)

    with logged_by(sweeper) as lines:
        await Sweeper(database, store=folder).sweep()
    assert await all_files(folder) == strangers | known
    assert [line["files"] for line in lines if line["event"] == "pictures_of_another_database"] == [3]

    one_more = f"{shelf.row(shelf.new_id(days_ago=2))}.png"
    await put_all(folder, [one_more])
    await Sweeper(database, store=folder).sweep()

    assert await all_files(folder) == known | {one_more}


@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store", "0Vq2kX9a0351xffvmzhinA5Ot7fOms.jpg#a"])
def test_what_has_no_name_of_ours_is_no_file_of_ours(name: str) -> None:
    assert read_file(f"2026/11/28/{name}", 7) is None


async def test_what_a_killed_writer_left_is_a_file_without_a_row_once_nobody_writes_there(
    database: Database, shelf: Shelf, folder: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, deleted = (shelf.row(shelf.new_id(days_ago=9), place=place) for place in ("store", None))
    running = shelf.row(shelf.new_id(days_ago=9), state="running")
    unknown = new_name(shelf.new_id(days_ago=9))
    left = {f"{kept}_512.webp#1", f"{deleted}.png#1", f"{unknown}.png#12"}
    await put_all(folder, [f"{kept}.png"])
    for name in (*left, f"{running}.png#1"):
        folder.file(name).parent.mkdir(parents=True, exist_ok=True)
        folder.file(name).write_bytes(PICTURE)
        # As what a writer has linked already, and another process has told the end of.
        os.utime(folder.file(name), (time.time(), time.time() + 2 * 86_400))
    inventory = Inventory(database, store=folder)

    assert await found(inventory) == set()
    await Sweeper(database, store=folder).sweep()
    assert all(folder.file(name).exists() for name in left)

    monkeypatch.setattr(local, "_WRITTEN_WITHIN_S", 0)
    assert {name for _, name in await found(inventory)} == left
    await Sweeper(database, store=folder).sweep()
    assert await all_files(folder) == {f"{kept}.png", f"{running}.png#1"}


class StaleListing(LocalFolder):
    """Lists what there was before everything."""

    async def listed(self, day: str) -> AsyncIterator[tuple[str, int]]:
        del day
        for item in ():
            yield item


async def test_what_was_settled_after_the_listing_is_no_finding(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    first = shelf.row(shelf.new_id(days_ago=0))
    await put_all(folder, [f"{first}.png"])
    stale = StaleListing(folder.file(""))

    assert await found(Inventory(database, store=stale)) == set()


async def test_a_picture_of_old_in_no_days_folder_is_found_by_its_name(
    database: Database, shelf: Shelf, folder: LocalFolder
) -> None:
    shelf.row(shelf.new_id(days_ago=30), image_name="ab/abcdefghij")
    missing = shelf.new_id(days_ago=30)
    shelf.row(missing, image_name="ac/acdefghij")
    await put_all(folder, ["ab/abcdefghij.png"])

    assert await found(Inventory(database, store=folder)) == {("file_missing", missing)}


@pytest.mark.parametrize(
    ("format", "data", "kinds"),
    [
        ("png", "whole", []),
        ("jpeg", "whole", ["unreadable"]),
        ("png", "cut", ["unreadable"]),
        ("png", "garbage", ["unreadable"]),
    ],
)
async def test_reading_finds_what_does_not_decode(
    database: Database,
    shelf: Shelf,
    folder: LocalFolder,
    png: bytes,
    format: str,
    data: str,
    kinds: list[str],
) -> None:
    bytes_of = {"whole": png, "cut": png[: len(png) // 2] + png[-16:], "garbage": b"no picture"}[data]
    id = shelf.new_id(days_ago=2)
    first = shelf.row(id, format=format, size=len(bytes_of))
    await put_all(folder, [f"{first}.{'png' if format == 'png' else 'jpg'}"], bytes_of)
    counts = Counts()

    inventory = Inventory(database, store=folder)
    findings = [_key(item) async for batch in inventory.compare(counts, read=True) for item in batch]

    assert findings == [(kind, id) for kind in kinds]
    assert counts.read == 1
    assert await found(inventory) == set()  # its size is right


@pytest.fixture
def png() -> bytes:
    noise = random.Random(1).randbytes(64 * 64 * 3)
    encoded = io.BytesIO()
    Image.frombytes("RGB", (64, 64), noise).save(encoded, "PNG")
    return encoded.getvalue()
