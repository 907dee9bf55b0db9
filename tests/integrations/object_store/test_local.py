"""What is the folder's own; the rules of all stores are in tests/domain/images/test_stores.py."""

import asyncio
import time
import traceback
from pathlib import Path

import pytest

from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder

DAY = "2026/11/28"
NAME = f"{DAY}/abcdefghijklmnopqrstuvwxyzabcd.png"


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


async def test_a_picture_lies_in_the_folder_of_its_day(store: LocalFolder, tmp_path: Path) -> None:
    await store.put(NAME, b"picture", keep_s=None)

    assert (tmp_path / NAME).read_bytes() == b"picture"


async def test_a_picture_that_cannot_be_read_written_or_deleted_is_a_store_error_that_tells_no_name(
    store: LocalFolder, tmp_path: Path
) -> None:
    other = f"2026/11/29/{Path(NAME).name}"
    (tmp_path / NAME).mkdir(parents=True)
    (tmp_path / "2026/11/29").touch()

    for call in (store.delete([NAME]), store.get(NAME), store.put(other, b"picture", keep_s=None)):
        with pytest.raises(StoreError) as raised:
            await call
        told = "".join(traceback.format_exception(raised.value)).replace(__file__, "")
        assert Path(NAME).stem not in told
        assert "…" in str(raised.value)


@pytest.mark.parametrize(("keep_s", "left_s"), [(None, 0), (3_600, 3_600)])
async def test_the_time_of_change_is_when_a_picture_ends_that_does(
    store: LocalFolder, tmp_path: Path, keep_s: int | None, left_s: int
) -> None:
    await store.put(NAME, b"picture", keep_s=keep_s)

    assert abs((tmp_path / NAME).stat().st_mtime - time.time() - left_s) < 60


async def test_nothing_half_written_is_left_by_many_writers_at_once(
    store: LocalFolder, tmp_path: Path
) -> None:
    await asyncio.gather(*(store.put(NAME, bytes(100_000), keep_s=None) for _ in range(20)))

    assert [file.name for file in (tmp_path / DAY).iterdir()] == [Path(NAME).name]


async def test_what_a_killed_process_left_half_written_is_found_by_its_name_and_can_be_removed(
    store: LocalFolder, tmp_path: Path
) -> None:
    await store.put(NAME, b"picture", keep_s=None)
    half = tmp_path / f"{NAME}#1"
    half.write_bytes(b"half a pic")

    assert sorted(await store.names(NAME.removesuffix(".png"))) == [NAME, f"{NAME}#1"]
    await store.delete([f"{NAME}#1"])

    assert not half.exists()
    assert await store.get(NAME) == b"picture"


async def test_what_a_killed_process_left_half_written_is_in_nobodys_way(
    store: LocalFolder, tmp_path: Path
) -> None:
    (tmp_path / DAY).mkdir(parents=True)
    (tmp_path / f"{NAME}#1").write_bytes(b"half a pic")

    await store.put(NAME, b"picture", keep_s=None)

    assert await store.get(NAME) == b"picture"


async def test_a_folder_that_cannot_be_written_is_a_store_error(store: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / "2026").write_bytes(b"a file where the folder should be")

    with pytest.raises(StoreError):
        await store.put(NAME, b"picture", keep_s=None)


async def test_what_the_disk_may_have_lost_is_not_there_and_what_was_there_before_stays(
    store: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(f"no room left for {descriptor}")

    other = NAME.replace("abcd", "efgh")
    await store.put(other, b"picture", keep_s=None)
    monkeypatch.setattr("os.fdatasync", fail)

    for name in (NAME, other):
        with pytest.raises(StoreError):
            await store.put(name, b"picture", keep_s=None)

    assert await store.names(f"{DAY}/") == [other]
