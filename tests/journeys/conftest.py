"""The service as it is started, for all tests that leave it running: a start is six seconds of CPU."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import Service, serving
from tests.conftest import fresh_database


@pytest.fixture(scope="package")
def lasting_database_url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture(scope="package")
def lasting_service(lasting_database_url: str) -> Iterator[Service]:
    """Three web processes."""
    with tempfile.TemporaryDirectory(prefix="nb-") as folder:
        settings = {"DATABASE_URL": lasting_database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
        with serving(Path(folder) / "data", factory=None, workers=3, settings=settings) as service:
            yield service
