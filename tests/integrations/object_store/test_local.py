import asyncio
import fcntl
import os
import time
from pathlib import Path

import pytest

from nanobanana.integrations.object_store.local import LocalFolder

NAME = "abcdefghijklmnopqrstuv.png"


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


async def test_what_is_put_is_got_and_lies_in_a_sub_folder(store: LocalFolder, tmp_path: Path) -> None:
    await store.put(NAME, b"picture")

    assert await store.get(NAME) == b"picture"
    assert (tmp_path / "ab" / NAME).read_bytes() == b"picture"


async def test_nothing_is_got_for_an_unknown_name(store: LocalFolder) -> None:
    assert await store.get(NAME) is None


async def test_the_second_of_two_writers_changes_nothing(store: LocalFolder) -> None:
    await store.put(NAME, b"first")
    await store.put(NAME, b"second")

    assert await store.get(NAME) == b"first"


async def test_of_many_writers_at_once_one_wins_whole(store: LocalFolder, tmp_path: Path) -> None:
    pictures = [bytes([number]) * 100_000 for number in range(20)]

    await asyncio.gather(*(store.put(NAME, picture) for picture in pictures))

    assert await store.get(NAME) in pictures
    assert list((tmp_path / ".partial").iterdir()) == []


async def test_a_partial_file_is_removed_once_its_writer_is_dead(store: LocalFolder, tmp_path: Path) -> None:
    dead, alive, young = (tmp_path / ".partial" / name for name in ("dead", "alive", "young"))
    for file in (dead, alive, young):
        file.write_bytes(b"half a pic")
    for file in (dead, alive):
        os.utime(file, (time.time() - 6, time.time() - 6))

    with alive.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        await store.discard_leftovers()

    assert (dead.exists(), alive.exists(), young.exists()) == (False, True, True)


async def test_a_full_or_missing_disk_is_an_oserror(store: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / ".partial").rmdir()

    with pytest.raises(OSError, match="No such file"):
        await store.put(NAME, b"picture")
