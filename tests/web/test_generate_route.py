"""The busiest route reads its requests by hand. What it answers is what the framework would."""

import inspect
import json
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.routing import APIRoute
from httpx2 import AsyncClient

from nanobanana.services import Services
from nanobanana.web import errors
from nanobanana.web.api.generate import create_generation
from nanobanana.web.api.generate_route import GenerateRoute
from nanobanana.web.dependencies import JsonBody
from nanobanana.web.middleware.request_log import RequestLog
from tests.conftest import in_memory
from tests.people import Person

JSON = {"Content-Type": "application/json"}
GOOD = {"prompt": "a banana"}

BODIES = [
    b"",
    b"null",
    b"5",
    b'"text"',
    b"[]",
    b"[1]",
    b"{}",
    b'{"prompt": ',
    b'{"prompt": "a"} x',
    b'{"prompt": NaN}',
    b'{"prompt": "\xff"}',
    b'{"prompt": "\\ud800"}',
    b'{"prompt": 5}',
    b'{"prompt": null}',
    b'{"prompt": "  "}',
    b'{"prompt": "a\\u0007b"}',
    b'{"prompt": "a", "size": "1x1", "style": "x", "format": "gif", "retention": "1w", "seed": 1}',
    b'{"prompt": "a", "retention": "59m"}',
    b'{"prompt": "a", "retention": "36h"}',
    b'{"prompt": "a", "prompt": "b"}',
    b"[" * 100_000,
    json.dumps({"prompt": "x" * 4_001}).encode(),
    json.dumps(GOOD).encode(),
]
HEADERS = [
    {},
    {"Prefer": "wait=0"},
    {"Prefer": "return=minimal, respond-async"},
    {"Idempotency-Key": ""},
    {"Idempotency-Key": '"quoted"'},
    {"Idempotency-Key": "with a space"},
    {"Idempotency-Key": "k" * 255},
    {"Idempotency-Key": "k" * 256},
]
QUERIES = [
    "",
    "?dry_run=true",
    "?dry_run=1",
    "?dry_run=maybe",
    "?dry_run=",
    "?dry_run=0&dry_run=1",
    "?unknown=1",
]
KEYS = ["Bearer {key}", "bearer  {key} ", "Basic {key}", "{key}", "Bearer", "Bearer ", "", "Bearer nb_live_x"]
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "multipart/form-data",
    "",
]


async def tell(**arguments: Any) -> Response:
    """What the endpoint was called with."""
    del arguments["services"]
    arguments["key"] = arguments["key"].api_key_id
    defaults = {"dry_run": False, "idempotency_key": None}
    told = defaults | arguments | {"prefer": arguments.get("prefer") or []}
    return Response(repr(sorted(told.items())))


# With the signature of the real endpoint, its place may be taken.
tell.__signature__ = inspect.signature(create_generation)  # type: ignore[attr-defined]


@pytest.fixture
async def both(services: Services) -> AsyncIterator[AsyncClient]:
    app = FastAPI()
    app.state.services = services
    app.add_middleware(RequestLog, trusted_proxies=(), on_fly=False)
    errors.install(app)
    for path, route_class in (("/v1/by-hand", GenerateRoute), ("/v1/by-framework", APIRoute)):
        app.router.add_api_route(
            path,
            tell,
            methods=["POST"],
            route_class_override=route_class,
            dependencies=[JsonBody],
            response_model=None,
        )
    async with in_memory(app) as client:
        yield client


async def answers(both: AsyncClient, query: str, body: bytes, headers: dict[str, str]) -> list[Any]:
    found = []
    for path in ("by-hand", "by-framework"):
        response = await both.post(f"/v1/{path}{query}", content=body, headers=headers)
        text = response.text.replace(response.headers["x-request-id"], "")
        found.append((response.status_code, response.headers.get("www-authenticate"), text))
    return found


async def test_headers_and_query(both: AsyncClient, alice: Person) -> None:
    for query, headers, body in product(QUERIES, HEADERS, (json.dumps(GOOD).encode(), b'{"size": 5}')):
        by_hand, by_framework = await answers(both, query, body, JSON | alice.by_key | headers)

        assert by_hand == by_framework, (query, headers, body)


async def test_bodies_and_what_they_say_that_they_are(both: AsyncClient, alice: Person) -> None:
    for body in BODIES:
        for content_type in CONTENT_TYPES:
            headers = alice.by_key | ({"Content-Type": content_type} if content_type else {})

            by_hand, by_framework = await answers(both, "", body, headers)

            assert by_hand == by_framework, (body[:50], content_type)


async def test_keys(both: AsyncClient, alice: Person) -> None:
    for key in KEYS:
        for body in (json.dumps(GOOD).encode(), b"{", b"{}"):
            headers = JSON | {"Authorization": key.format(key=alice.key)}

            by_hand, by_framework = await answers(both, "", body, headers)

            assert by_hand == by_framework, (key, body)
