"""The sandbox as a process: how it is started, what it says, how many it serves at once."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import httpx2

from tests.sandbox.caller import MODEL, Caller
from tests.sandbox.conftest import running_sandbox

_MODULE = [sys.executable, "-m", "nanobanana_sandbox"]


def test_it_answers_within_a_second_of_its_start() -> None:
    before = _children_cpu_s()
    with running_sandbox() as url:
        httpx2.get(f"{url}/_sandbox/scenarios")

    # Processor time, not wall time: other tests run beside this one.
    assert _children_cpu_s() - before < 1


def test_it_serves_an_inherited_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [*_MODULE, "--fd", str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL) as process:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            # The socket listens already: the call waits in its backlog until the sandbox is up.
            answer = httpx2.get(f"{address}/_sandbox/scenarios", timeout=30)
            process.terminate()

    assert answer.status_code == 200


def test_neither_prompts_nor_keys_are_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([*_MODULE, "--port", "0"], stdout=file, stderr=subprocess.STDOUT)
        try:
            with httpx2.Client(base_url=_address_in(log)) as http:
                for scenario in ("ok", "overloaded", "truncate"):
                    Caller(http, key="sandbox").generate("very private", scenario=scenario)
        finally:
            process.terminate()
            process.wait()

    assert re.fullmatch(r"sandbox listening on http://127\.0\.0\.1:\d+\n", log.read_text())


def test_intended_faults_are_not_logged_as_errors(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([*_MODULE, "--port", "0"], stdout=file, stderr=subprocess.STDOUT)
        try:
            for scenario in ("reset", "reset_mid_body", "short_body"):
                with httpx2.Client(base_url=_address_in(log)) as http:
                    _ignoring_broken_connections(Caller(http, key="sandbox"), scenario)
        finally:
            process.terminate()
            process.wait()

    assert log.read_text().count("\n") == 1


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([*_MODULE, "--port", "0"], stdout=file, stderr=subprocess.STDOUT)
        httpx2.get(f"{_address_in(log)}/_sandbox/scenarios")
        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0

    assert log.read_text().count("\n") == 1


async def test_three_hundred_waiting_calls_are_answered_together(sandbox_url: str) -> None:
    body = {"contents": [{"parts": [{"text": "[sandbox:latency=1][sandbox:bytes=1500000] a fox"}]}]}
    url = f"{sandbox_url}/v1beta/models/{MODEL}:generateContent"

    async def call(session: aiohttp.ClientSession) -> int:
        async with session.post(url, json=body, headers={"x-goog-api-key": "sandbox"}) as answer:
            return len(await answer.read())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        sizes = await asyncio.gather(*(call(session) for _ in range(300)))

    assert len(sizes) == 300
    assert min(sizes) > 2_000_000


def _address_in(log: Path) -> str:
    deadline = time.monotonic() + 30
    while not log.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        os.sched_yield()
    return log.read_text().split()[-1]


def _ignoring_broken_connections(caller: Caller, scenario: str) -> None:
    try:
        caller.generate(scenario=scenario)
    except httpx2.TransportError:
        return


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
