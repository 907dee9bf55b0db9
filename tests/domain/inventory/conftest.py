from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from nanobanana.domain.inventory.types import ListedStore
from nanobanana.image_stores import open_store
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from tests.domain.inventory.shelf import Shelf
from tests.s3_fixtures import S3Bucket


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def shelf(database_url: str) -> Iterator[Shelf]:
    shelf = Shelf(database_url)
    yield shelf
    shelf.close()


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "images")


@pytest.fixture
def bucket(s3_bucket: S3Bucket) -> ListedStore:
    return open_store(Settings(**s3_bucket.settings), "s3")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> ListedStore:
    store: ListedStore = request.getfixturevalue(request.param)
    return store
