"""Fails the test after which a secret stands in the clear.

Over the shoulder of every httpx2 client it sees the answers, whoever opened it; pytest tells what the tests' own
process wrote. The fixtures show their databases, mails and other processes themselves.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import AsyncClient, Client, Response

from tests.secrecy import watch


def pytest_configure() -> None:
    send, send_async = Client.send, AsyncClient.send

    def watched(self: Client, *args: Any, **options: Any) -> Response:
        return _seen(send(self, *args, **options))

    async def watched_async(self: AsyncClient, *args: Any, **options: Any) -> Response:
        return _seen(await send_async(self, *args, **options))

    Client.send, AsyncClient.send = watched, watched_async


def _seen(response: Response) -> Response:
    if response.is_closed:  # else its reader has it in pieces
        watch.saw_answer(response)
    return response


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    watch.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "teardown":
        for name, text in report.sections:
            watch.saw_written(text, by=f"the test ({name})")
        if leaks := watch.leaks():
            report.outcome = "failed"
            report.longrepr = "In the clear: " + "; ".join(leaks)
            report.sections = [(name, watch.masked(text)) for name, text in report.sections]
    return report
