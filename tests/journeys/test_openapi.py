"""schemathesis reads our OpenAPI document and makes sane and insane requests of it: no 500, answers as described."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from httpx2 import Client
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.cli.serving import Service, serving
from tests.people import PASSWORD

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def lasting_service() -> Iterator[Service]:
    directory = Path(tempfile.mkdtemp(prefix="nb-"))
    directory.chmod(0o711)
    with serving(directory / "data", factory=None) as service:
        yield service
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def tokens(lasting_service: Service) -> dict[str, str]:
    """By security scheme."""
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    with Client(base_url=lasting_service.url) as client:
        key = client.post("/v1/auth/register", json=credentials).json()["api_key"]["key"]
        session = client.post("/v1/auth/login", json=credentials).json()["access_token"]
    return {"apiKey": key, "session": session}


@pytest.mark.timeout(240)
def test_every_answer_is_as_described(lasting_service: Service, tokens: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_url(f"{lasting_service.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 42

    for operation in operations:
        _try(operation, tokens, GenerationMode.POSITIVE)
        if operation.body or operation.path_parameters or operation.query:
            with suppress(Unsatisfiable):  # there is nothing that would be wrong
                _try(operation, tokens, GenerationMode.NEGATIVE)


def _try(operation: APIOperation, tokens: dict[str, str], mode: GenerationMode) -> None:
    schemes = [name for need in operation.definition.raw.get("security", []) for name in need]
    headers = {"Authorization": f"Bearer {tokens[schemes[0]]}"} if schemes else {}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def answer_is_as_described(case: Case) -> None:
        case.call_and_validate(headers=headers, timeout=60, checks=CHECKS)

    answer_is_as_described()
