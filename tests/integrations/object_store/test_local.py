import asyncio
from pathlib import Path

import pytest

from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder

DAY = "2026/11/28"
NAME = f"{DAY}/abcdefghijklmnopqrstuvwxyzabcd.png"


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


async def test_what_is_put_is_got_and_lies_in_a_sub_folder(store: LocalFolder, tmp_path: Path) -> None:
    await store.put(NAME, b"picture", keep_s=None)

    assert await store.get(NAME) == b"picture"
    assert (tmp_path / NAME).read_bytes() == b"picture"


async def test_nothing_is_got_for_an_unknown_name(store: LocalFolder) -> None:
    assert await store.get(NAME) is None


async def test_the_second_of_two_writers_changes_nothing(store: LocalFolder) -> None:
    await store.put(NAME, b"first", keep_s=None)
    await store.put(NAME, b"second", keep_s=None)

    assert await store.get(NAME) == b"first"


async def test_what_is_deleted_is_gone_and_what_never_was_is_no_trouble(store: LocalFolder) -> None:
    await store.put(NAME, b"picture", keep_s=None)
    await store.delete([NAME])

    assert await store.get(NAME) is None
    await store.delete([NAME])
    await store.delete(["1999/" + NAME])


async def test_a_picture_that_cannot_be_deleted_is_a_store_error(store: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir(parents=True)

    with pytest.raises(StoreError):
        await store.delete([NAME])


async def test_of_many_writers_at_once_one_wins_whole(store: LocalFolder, tmp_path: Path) -> None:
    pictures = [bytes([number]) * 100_000 for number in range(20)]

    await asyncio.gather(*(store.put(NAME, picture, keep_s=None) for picture in pictures))

    assert await store.get(NAME) in pictures
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
