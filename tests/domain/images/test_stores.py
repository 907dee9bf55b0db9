"""The rules of every store, held by each of them."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from nanobanana.domain.images import headers
from nanobanana.domain.images.names import new_name, thumbnail
from nanobanana.domain.images.repository import DatabaseStore
from nanobanana.domain.images.types import ImageStore
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.integrations.object_store.s3 import Bucket
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import Database
from tests.s3_fixtures import open_test_bucket

STEM = new_name(new_id("gen"))
NAME = f"{STEM}.png"


@pytest.fixture(params=["folder", "memory", "s3", "database"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ImageStore]:
    match request.param:
        case "folder":
            yield LocalFolder(tmp_path)
        case "memory":
            yield Bucket(MemoryStore(), headers=headers.of_stored, public_url="https://pictures.test")
        case "s3":
            yield open_test_bucket(request.getfixturevalue("s3_bucket"))
        case "database":
            database = Database(request.getfixturevalue("database_url"))
            await database.open()
            yield DatabaseStore(database)
            await database.close()


async def test_what_is_put_is_got_to_the_byte(store: ImageStore) -> None:
    picture = secrets.token_bytes(1_500_000)
    await store.put(NAME, picture, keep_s=None)

    assert await store.get(NAME) == picture
    assert type(await store.get(NAME)) is bytes


async def test_what_is_not_there_is_none(store: ImageStore) -> None:
    await store.put(NAME, b"picture", keep_s=3_600)

    assert await store.get(f"{STEM}.jpg") is None
    assert await store.get(STEM) is None


async def test_the_second_of_two_writers_changes_nothing(store: ImageStore) -> None:
    await store.put(NAME, b"first", keep_s=None)
    await store.put(NAME, b"second", keep_s=60)

    assert await store.get(NAME) == b"first"


async def test_of_many_writers_at_once_one_wins_whole(store: ImageStore) -> None:
    pictures = [bytes([number]) * 100_000 for number in range(8)]

    await asyncio.gather(*(store.put(NAME, picture, keep_s=None) for picture in pictures))

    assert await store.get(NAME) in pictures
    assert await store.names(STEM) == [NAME]


async def test_what_is_deleted_is_gone_and_what_never_was_is_no_trouble(store: ImageStore) -> None:
    other = f"{new_name(new_id('gen'))}.png"
    for name in (NAME, other):
        await store.put(name, b"picture", keep_s=None)

    await store.delete([])
    await store.delete([NAME, thumbnail(STEM), f"1999/{NAME}"])
    await store.delete([NAME])

    assert await store.get(NAME) is None
    assert await store.get(other) == b"picture"


async def test_names_are_found_by_their_beginning(store: ImageStore) -> None:
    of_one = sorted([NAME, f"{STEM}-2.png", thumbnail(STEM)])
    others = [f"{new_name(new_id('gen'))}.png" for _ in range(3)]
    for name in (*of_one, *others):
        await store.put(name, b"picture", keep_s=None)

    assert sorted(await store.names(STEM)) == of_one
    assert await store.names(f"{STEM}.") == [NAME]
    assert await store.names(f"{STEM}-2") == [f"{STEM}-2.png"]
    assert await store.names(f"{STEM}-3") == []
    assert sorted(await store.names(NAME[:11])) == sorted([*of_one, *others])
    assert await store.names("1999/01/01/") == []
