"""A sandbox as a process of its own, and a caller with a key that no other test has."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import httpx2
import pytest

from tests.sandbox.caller import Caller

StartSandbox = Callable[..., str]


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox("--thought-signature-bytes", "3000") as url:
        yield url


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Start a sandbox with options of its own; it ends with the test."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(running_sandbox(*options))


@pytest.fixture
def caller(sandbox_url: str) -> Iterator[Caller]:
    with httpx2.Client(base_url=sandbox_url, timeout=30, verify=False) as http:
        yield Caller(http, key=f"test-{uuid4().hex}")


@contextmanager
def running_sandbox(*options: str) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "nanobanana_sandbox",
        "--port",
        "0",
        "--api-keys",
        "sandbox,test-*",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
