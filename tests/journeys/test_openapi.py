"""Every answer of the API is as its document says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Client

from tests.cli.serving import Service, serving
from tests.people import PASSWORD


@pytest.fixture
def service(data_dir: Path, database_url: str) -> Iterator[Service]:
    settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    with serving(data_dir, factory=None, settings=settings) as service:
        yield service


@pytest.fixture
def tokens(service: Service) -> dict[str, str]:
    """By security scheme."""
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    with Client(base_url=service.url) as client:
        key = client.post("/v1/auth/register", json=credentials).json()["api_key"]["key"]
        session = client.post("/v1/auth/login", json=credentials).json()["access_token"]
    return {"apiKey": key, "session": session}


@pytest.mark.timeout(240)
def test_every_answer_is_as_described(service: Service, tokens: dict[str, str]) -> None:
    # More than a second of CPU, and every process of the run reads this file.
    from tests.journeys.strange_requests import try_every_operation  # noqa: PLC0415

    assert try_every_operation(service.url, tokens) == 42
