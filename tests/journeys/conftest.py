"""The service as it is started, for the tests of one file: a start is six seconds of CPU."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import Service, serving
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
def lasting_service() -> Iterator[Service]:
    """Three web processes, for tests that leave it running."""
    with fresh_database() as database_url, tempfile.TemporaryDirectory(prefix="nb-") as folder:
        settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
        with serving(Path(folder) / "data", factory=None, workers=3, settings=settings) as service:
            yield service
