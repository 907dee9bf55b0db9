"""schemathesis reads our OpenAPI document and makes sane and insane requests of it: no 500, answers as described."""

from contextlib import suppress

import schemathesis
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

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def try_every_operation(url: str, tokens: dict[str, str]) -> int:
    """How many there are. `tokens`: by security scheme."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        _try(operation, tokens, GenerationMode.POSITIVE)
        if operation.body or operation.path_parameters or operation.query:
            with suppress(Unsatisfiable):  # there is nothing that would be wrong
                _try(operation, tokens, GenerationMode.NEGATIVE)
    return len(operations)


def _try(operation: APIOperation, tokens: dict[str, str], mode: GenerationMode) -> None:
    schemes = [name for need in operation.definition.raw.get("security", []) for name in need]
    headers = {"Authorization": f"Bearer {tokens[schemes[0]]}"} if schemes else {}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def answer_is_as_described(case: Case) -> None:
        case.call_and_validate(headers=headers, timeout=60, checks=CHECKS)

    answer_is_as_described()
