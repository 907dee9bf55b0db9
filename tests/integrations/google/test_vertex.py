"""Vertex AI: other addresses, and tokens instead of keys."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nanobanana.integrations.google import vertex
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.errors import (
    ConnectionFailedError,
    GoogleError,
    KeyRejectedError,
    TokenRejectedError,
)
from nanobanana.integrations.google.types import ImageRequest
from nanobanana.integrations.google.vertex import AccessTokens, TokenSource, VertexAccess
from tests.integrations.google.conftest import NANO_BANANA
from tests.integrations.google.raw_server import RawServer, http_answer

REQUEST = ImageRequest(prompt="a quiet hill", width=1024, height=1024)


class FixedToken:
    def __init__(self, token: str) -> None:
        self._headers = {"authorization": f"Bearer {token}"}
        self.forgotten = 0

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    def forget(self) -> None:
        self.forgotten += 1


class TokenServer:
    """Google's token server: counts what it is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.life_s = 3_600
        self.status = 200
        self.silent = False
        self.ended = asyncio.Event()

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            await self.ended.wait()
        if self.status != 200:
            return web.json_response({"error": "invalid_grant"}, status=self.status)
        return web.json_response({"access_token": f"token-{self.asked}", "expires_in": self.life_s})


@pytest.fixture
async def token_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> AsyncIterator[TokenServer]:
    """With a service account whose key file names it, as GOOGLE_APPLICATION_CREDENTIALS would."""
    server = TokenServer()
    app = web.Application()
    app.router.add_post("/token", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    file = tmp_path / "account.json"
    file.write_text(json.dumps(_service_account(f"http://127.0.0.1:{unused_tcp_port}/token")))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    yield server
    server.ended.set()
    await runner.cleanup()


def _service_account(token_uri: str) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "type": "service_account",
        "project_id": "bananas",
        "private_key_id": "1",
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "client_email": "nanobanana@bananas.example",
        "client_id": "1",
        "token_uri": token_uri,
    }


def images(client: aiohttp.ClientSession, url: str, tokens: TokenSource) -> GoogleImages:
    access = VertexAccess(base_url=url, project="bananas", location="global", tokens=tokens)
    return GoogleImages(
        client, access=access, model=NANO_BANANA, timeout_s=30, body_slots=asyncio.Semaphore(8)
    )


async def test_vertex_serves_a_picture(http_client: aiohttp.ClientSession, sandbox_url: str) -> None:
    async with images(http_client, sandbox_url, FixedToken("any")).generate(REQUEST) as picture:
        assert picture.model == NANO_BANANA


async def test_address_and_header_are_vertexs(
    http_client: aiohttp.ClientSession, raw_server: RawServer
) -> None:
    async with images(http_client, raw_server.url, FixedToken("secret")).generate(REQUEST):
        pass

    head = raw_server.requests[0].partition(b"\r\n\r\n")[0].decode().lower()
    path = "/v1beta1/projects/bananas/locations/global/publishers/google/models"
    assert head.startswith(f"post {path}/{NANO_BANANA}:generatecontent http/1.1")
    assert "authorization: bearer secret" in head
    assert "x-goog-api-key" not in head


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_host(location: str, host: str) -> None:
    assert vertex.base_url(location) == f"https://{host}"


async def test_a_401_is_about_the_token_which_is_fetched_anew(
    http_client: aiohttp.ClientSession, raw_server: RawServer
) -> None:
    raw_server.answer = http_answer(b"{}", status=401)
    tokens = FixedToken("old")

    with pytest.raises(TokenRejectedError) as caught:
        await images(http_client, raw_server.url, tokens).generate(REQUEST).__aenter__()

    assert (tokens.forgotten, caught.value.retryable, caught.value.fault) == (1, True, "google")


async def test_a_403_is_about_the_account(http_client: aiohttp.ClientSession, raw_server: RawServer) -> None:
    raw_server.answer = http_answer(b"{}", status=403)

    with pytest.raises(KeyRejectedError):
        await images(http_client, raw_server.url, FixedToken("any")).generate(REQUEST).__aenter__()


async def test_a_service_accounts_token_is_fetched_once_for_all(token_server: TokenServer) -> None:
    tokens = AccessTokens()

    found = await asyncio.gather(*(tokens.headers() for _ in range(20)))

    assert {headers["authorization"] for headers in found} == {"Bearer token-1"}
    assert token_server.asked == 1


async def test_a_token_is_renewed_before_it_ends_while_the_old_one_still_serves(
    token_server: TokenServer,
) -> None:
    now = time.time()
    tokens = AccessTokens(clock=lambda: now)
    await tokens.headers()

    now += 3_600 - 301
    assert (await tokens.headers())["authorization"] == "Bearer token-1"
    assert tokens._fetch is None
    now += 2
    assert (await tokens.headers())["authorization"] == "Bearer token-1"
    await tokens._fetch
    assert (await tokens.headers())["authorization"] == "Bearer token-2"


async def test_a_token_that_has_ended_or_was_refused_is_not_used_again(token_server: TokenServer) -> None:
    now = time.time()
    tokens = AccessTokens(clock=lambda: now)
    await tokens.headers()

    tokens.forget()
    assert (await tokens.headers())["authorization"] == "Bearer token-2"
    now += 3_600 - 9
    assert (await tokens.headers())["authorization"] == "Bearer token-3"


async def test_a_failed_renewal_hurts_nobody_while_the_old_token_serves(token_server: TokenServer) -> None:
    now = time.time()
    tokens = AccessTokens(clock=lambda: now)
    await tokens.headers()
    token_server.status = 400

    now += 3_400
    for _ in range(3):
        assert (await tokens.headers())["authorization"] == "Bearer token-1"
        if tokens._fetch:
            await asyncio.wait({tokens._fetch})

    assert token_server.asked == 2


async def test_an_account_that_gets_no_token_is_a_rejected_key(token_server: TokenServer) -> None:
    token_server.status = 400

    await _fails(AccessTokens(), KeyRejectedError)


async def test_a_token_server_that_is_silent_is_given_up(
    token_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vertex, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(vertex, "_REQUEST_S", 0.5)
    token_server.silent = True
    tokens = AccessTokens()

    await asyncio.gather(*(_fails(tokens, ConnectionFailedError) for _ in range(5)))

    assert token_server.asked == 1
    await asyncio.wait({tokens._fetch})


async def test_a_machine_without_credentials_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))

    await _fails(AccessTokens(), KeyRejectedError)


async def _fails(tokens: AccessTokens, kind: type[GoogleError]) -> None:
    with pytest.raises(kind) as caught:
        await tokens.headers()
    told: dict[str, Any] = vars(caught.value)
    assert "token-" not in str(told)
