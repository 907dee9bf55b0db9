"""Whatever comes in gets a clear 4xx in the envelope, never a 500."""

import pytest
from httpx2 import AsyncClient

from tests.people import Person

JSON = {"Content-Type": "application/json"}
ENVELOPE = {"message", "type", "code", "param", "request_id", "retryable", "charged"}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "invalid_request"),
        (b"{", 400, "invalid_request"),
        (b"\xff\xfe", 400, "invalid_request"),
        (b"[" * 60_000, 400, "invalid_request"),
        (b"null", 400, "invalid_request"),
        (b'{"prompt": NaN}', 400, "invalid_request"),
        (b'{"prompt": "\\u0000"}', 400, "invalid_request"),
        (b'{"prompt": "\\ud800"}', 400, "invalid_request"),
        (b'{"prompt": "' + b"x" * 65_536 + b'"}', 413, "body_too_large"),
        (b'{"prompt": "' + b"x" * 1_000_000 + b'"}', 413, "body_too_large"),
        (b'{"prompt": "' + b"x" * 5_000_000 + b'"}', 413, "body_too_large"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)
async def test_a_bad_body_is_a_clear_4xx(
    client: AsyncClient, alice: Person, content: bytes, status: int, code: str
) -> None:
    response = await client.post("/v1/generate", content=content, headers={**alice.by_key, **JSON})

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code)
    assert error.keys() >= ENVELOPE
    assert error["request_id"] == response.headers["x-request-id"]


async def test_a_body_of_64_kib_is_read_and_one_byte_more_refused(client: AsyncClient, alice: Person) -> None:
    body = b'{"prompt": "' + b"x" * (64 * 1024 - 14) + b'"}'

    whole = await client.post("/v1/generate", content=body, headers={**alice.by_key, **JSON})
    larger = await client.post("/v1/generate", content=body + b" ", headers={**alice.by_key, **JSON})

    assert (whole.status_code, larger.status_code) == (400, 413)


async def test_a_body_that_is_not_declared_as_json_is_415_and_told_how(
    client: AsyncClient, alice: Person
) -> None:
    form = {**alice.by_key, "Content-Type": "application/x-www-form-urlencoded"}

    response = await client.post("/v1/generate", content=b'{"prompt": "x"}', headers=form)

    assert response.status_code == 415
    assert "Content-Type: application/json" in response.json()["error"]["message"]


async def test_the_key_is_refused_before_the_fields_and_after_broken_json(client: AsyncClient) -> None:
    broken = await client.post("/v1/generate", content=b"{", headers=JSON)
    fields = await client.post("/v1/generate", content=b"{}", headers=JSON)

    assert (broken.status_code, fields.status_code) == (400, 401)


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing", "/v1/generations/", "/images/../settings", "/v1/%00"])
async def test_an_unknown_route_is_404_in_the_envelope(client: AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


async def test_a_wrong_method_is_405_and_names_the_right_one(client: AsyncClient) -> None:
    response = await client.get("/v1/generate")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("path", "methods"), [("/v1/keys", "GET, POST"), ("/images/2026/11/28/a.png", "GET, HEAD")]
)
async def test_a_wrong_method_is_told_all_the_right_ones(
    client: AsyncClient, path: str, methods: str
) -> None:
    assert (await client.put(path)).headers["allow"] == methods


async def test_a_callers_request_id_is_kept_when_it_is_harmless(client: AsyncClient) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "order-17.a_b"})
    replaced = await client.get("/healthz", headers={"X-Request-Id": 'evil" id'})

    assert kept.headers["x-request-id"] == "order-17.a_b"
    assert replaced.headers["x-request-id"].startswith("req_")


async def test_an_id_with_a_nul_is_404(client: AsyncClient, alice: Person) -> None:
    response = await client.get("/v1/generations/gen_%00", headers=alice.by_key)

    assert response.status_code == 404


@pytest.mark.parametrize("key", ["nb_live_" + "ä" * 36, "nb_live_" + "x" * 8000, "\x7f"])
async def test_a_strange_key_is_401(client: AsyncClient, key: str) -> None:
    headers = {b"authorization": f"Bearer {key}".encode()}

    response = await client.get("/v1/generations", headers=headers)

    assert response.status_code == 401
