"""The sandbox as a process, the client under test, and a server that says exactly what a test tells it."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import pytest

from nanobanana.integrations.google.access import ApiKeyAccess
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.http import open_http
from tests.integrations.google.raw_server import RawServer

NANO_BANANA = "gemini-nano-banana-2.1"
LITE = "gemini-3.1-flash-lite-image"

GoogleFactory = Callable[..., GoogleImages]


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """Unlike the sandbox of the other tests, this one serves Imagen."""
    command = [sys.executable, "-m", "nanobanana_sandbox", "--port", "0", "--api-keys", "test-*", "--imagen"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture
async def http_client() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as client:
        yield client


@pytest.fixture
def api_key() -> str:
    """A key of its own for each test: the sandbox keeps scripts and calls by key."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def google(http_client: aiohttp.ClientSession, sandbox_url: str, api_key: str) -> GoogleFactory:
    def build(
        *,
        base_url: str = sandbox_url,
        api_key: str = api_key,
        model: str = NANO_BANANA,
        timeout_s: float = 30,
        body_slots: asyncio.Semaphore | None = None,
    ) -> GoogleImages:
        return GoogleImages(
            http_client,
            access=ApiKeyAccess(base_url=base_url, api_version="v1beta", api_key=api_key),
            model=model,
            timeout_s=timeout_s,
            body_slots=body_slots or asyncio.Semaphore(8),
        )

    return build


@pytest.fixture
async def raw_server() -> AsyncIterator[RawServer]:
    async with RawServer() as server:
        yield server
