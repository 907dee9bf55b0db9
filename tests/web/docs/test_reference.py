"""The reference: complete, and true of what the service takes and answers."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from nanobanana.web.docs.contents import ENTRIES
from tests.people import PASSWORD, Person, sign_up
from tests.web.docs.pages import blocks_of, twin_of

REFERENCE = [page for page in ENTRIES.values() if page.tag]
OPERATION = re.compile(r"^## `([A-Z]+) (\S+)`$", re.MULTILINE)

# After these the reader has no session, or no key that works.
ENDS = {("post", "/v1/auth/logout"), ("delete", "/v1/account"), ("post", "/v1/keys/disable-all")}


async def sections_of(client: AsyncClient) -> dict[tuple[str, str], str]:
    """The text about each operation."""
    found = {}
    for page in REFERENCE:
        _, *parts = OPERATION.split((await twin_of(client, page)).partition("## Objects")[0])
        for method, path, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            found[method.lower(), path] = text
    return found


async def test_it_names_every_operation_and_every_field(client: AsyncClient, app: FastAPI) -> None:
    document = app.openapi()
    sections = await sections_of(client)
    pages = "".join([await twin_of(client, page) for page in (*REFERENCE, ENTRIES["errors"])])

    operations = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert set(sections) == operations
    for method, path in operations:
        for parameter in document["paths"][path][method].get("parameters", ()):
            assert f"| `{parameter['name']}` |".lower() in sections[method, path].lower()
    bodies = {"AccountChange", "Verification"}
    for name, schema in document["components"]["schemas"].items():
        is_answered = f"### {name}\n" in pages
        assert is_answered or is_body(name, document) or name in bodies, name
        table = pages.partition(f"### {name}\n")[2].partition("\n### ")[0] if is_answered else pages
        for field in schema["properties"]:
            assert f"| `{field}` | " in table, f"{name}.{field}"


def is_body(name: str, document: dict[str, Any]) -> bool:
    return any(
        f'schemas/{name}"' in json.dumps(operation.get("requestBody", {}))
        for methods in document["paths"].values()
        for operation in methods.values()
    )


async def test_every_example_request_is_understood_and_answered_as_described(
    client: AsyncClient, app: FastAPI
) -> None:
    document = app.openapi()
    person = await sign_up(client, "reader@example.org")
    for place, ((method, path), text) in enumerate((await sections_of(client)).items()):
        (request,) = [block.text for block in blocks_of(text) if block.language == "http"]
        answer = await _sent(client, request, person)

        described = document["paths"][path][method]["responses"]
        assert str(answer.status_code) in described, (path, answer.text)
        code = answer.json()["error"]["code"] if answer.status_code >= 400 else None
        # A code or link of a mail, or a password, that was never this reader's.
        assert answer.status_code not in {400, 401} or code in {
            "invalid_code",
            "invalid_token",
            "invalid_credentials",
        }, (path, answer.text)
        if (method, path) in ENDS:
            person = await sign_up(client, f"reader-{place}@example.org")


async def _sent(client: AsyncClient, request: str, person: Person) -> Response:
    head, _, body = request.partition("\n\n")
    (method, path, _), *lines = (line.split(" ", 2) for line in head.splitlines())
    headers = {name.rstrip(":").lower(): " ".join(value) for name, *value in lines}
    del headers["host"]
    if "authorization" in headers:
        bearer = person.token if "nb_session_" in headers["authorization"] else person.test_key
        headers["authorization"] = f"Bearer {bearer}"
    body = body.replace("https://example.com", "http://127.0.0.1:9999").strip()
    # Secrets that a test has sent may stand in no answer, and these stand in the documentation.
    body = body.replace("bananas sail at midnight", PASSWORD).replace("Jx0bT7vQ2mZ4kR9s", "x" * 16)
    return await client.request(method, path, headers=headers, content=body)


async def test_every_example_answer_fits_its_description(client: AsyncClient, app: FastAPI) -> None:
    document = app.openapi()
    checked = 0
    for (method, path), text in (await sections_of(client)).items():
        for block in blocks_of(text):
            if block.language == "json":
                answers = document["paths"][path][method]["responses"].values()
                schemas = [
                    answer["content"]["application/json"]["schema"]
                    for answer in answers
                    if "application/json" in answer.get("content", {})
                ]
                schema = {**schemas[0], "components": document["components"]}
                jsonschema_rs.validator_for(schema).validate(json.loads(block.text))
                checked += 1
    assert checked >= 28


async def test_errors_of_operations_lead_to_their_explanation(client: AsyncClient) -> None:
    text = (await sections_of(client))["post", "/v1/generate"]
    for code in ("quota_exceeded", "rate_limited", "content_policy", "idempotency_key_reused"):
        assert f"[`{code}`](http://nanobanana.test/docs/errors.md#{code})" in text


@pytest.mark.parametrize("limit", ["1 to 4,000 characters", "default `1024x1024`", "1 to 100; default `20`"])
async def test_limits_and_defaults_stand_beside_their_fields(client: AsyncClient, limit: str) -> None:
    assert limit in await twin_of(client, ENTRIES["reference/generations"])
