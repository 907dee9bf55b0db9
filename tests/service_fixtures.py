"""The real service as a process, for journeys and chaos."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import Service, serving


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="nb-"))
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture
def service(data_dir: Path, database_url: str) -> Iterator[Service]:
    """The real service with three web processes, on the run's database server."""
    settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    with serving(data_dir, factory=None, workers=3, settings=settings) as service:
        yield service
