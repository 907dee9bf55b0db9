import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.serving import Service, serving


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with _data_dir() as directory:
        yield directory


@pytest.fixture
def servers(database_url: str) -> dict[str, str]:
    """Settings that spare a test the making of a cluster of its own."""
    return {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}


@pytest.fixture(scope="session")
def shared_service() -> Iterator[Service]:
    """For tests that leave it running: a start is seconds of work. It has two web processes."""
    with (
        _data_dir() as directory,
        serving(directory, workers=2, settings={"MALLOC_ARENA_MAX": "7"}) as service,
    ):
        yield service


@contextmanager
def _data_dir() -> Iterator[Path]:
    """Every user may pass through its parent: pytest's own directories are closed to `nobody`."""
    directory = Path(tempfile.mkdtemp(prefix="nb-"))
    directory.chmod(0o711)
    yield directory / "data"
    shutil.rmtree(directory)
