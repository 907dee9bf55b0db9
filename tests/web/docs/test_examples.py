"""Every example of the documentation, taken out of its pages and run against a service that listens.

Three processes run them all at once: a shell, a Python and a Node, each page after page, with the environment that the
pages tell their reader to have. What follows an example as JSON is what it must have answered, field by field.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from httpx2 import AsyncClient, ConnectError

from nanobanana.integrations.webhooks import signature
from tests.people import PASSWORD, sign_up
from tests.receiver import Receiver, receiving
from tests.web.docs.pages import ONCE, Block, blocks_of, twin_of

RUN, SHOWN = {"bash", "python", "javascript"}, {"json", "text", "http"}
HAS_NODE = shutil.which("node") is not None
RUNNERS = Path(__file__).parent
# The password of the pages' reader, in whose place a test has its own.
SHOWN_PASSWORD = "bananas sail at midnight"
# Ends only when it is told to.
SERVES = ("serve_forever()", ".listen(")


@dataclass
class Example:
    page: str
    block: Block
    # What its page says that it answers.
    answer: Any = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def serves(self) -> bool:
        return any(word in self.block.text for word in SERVES)

    @property
    def fails(self) -> bool:
        return (
            isinstance(self.answer, dict)
            and "error" in self.answer
            and "code" in (self.answer["error"] or {})
        )


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
async def reader(url: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def examples_of(reader: AsyncClient, receiver: Receiver) -> list[Example]:
    examples: list[Example] = []
    for page in ONCE:
        if page.tag:
            continue
        blocks = blocks_of(await twin_of(reader, page))
        environment = await _environment(reader, f"{page.slug}@example.org") if blocks else {}
        for block, follower in zip_longest(blocks, blocks[1:]):
            assert block.language in RUN | SHOWN, page.slug
            if block.language in RUN:
                text = block.text.replace("https://example.com/webhooks", receiver.url).replace(
                    SHOWN_PASSWORD, PASSWORD
                )
                is_answered = follower is not None and follower.language == "json"
                answer = json.loads(follower.text) if follower and is_answered else None
                examples.append(Example(page.slug, Block(block.language, text), answer, environment))
    return examples


async def _environment(reader: AsyncClient, email: str) -> dict[str, str]:
    person = await sign_up(reader, email)
    return {"NANOBANANA_KEY": person.test_key, "NANOBANANA_SESSION": person.token}


async def test_every_example_does_what_its_page_says(reader: AsyncClient, tmp_path: Path) -> None:
    async with receiving() as (receiver, _):
        examples = [one for one in await examples_of(reader, receiver) if not one.serves]
        by_language = {name: [one for one in examples if one.block.language == name] for name in sorted(RUN)}
        assert {name: len(found) for name, found in by_language.items()} == {
            "bash": 24,
            "javascript": 2,
            "python": 3,
        }
        if not HAS_NODE:
            del by_language["javascript"]
        outcomes = await asyncio.gather(
            *(_run(language, found, tmp_path / language) for language, found in by_language.items())
        )
        (test_event,) = await receiver.wait_for(1)

    for example, outcome in [pair for pairs in outcomes for pair in pairs]:
        place = f"{example.page}:\n{example.block.text}\n{outcome}"
        assert (outcome["status"] == 0) != example.fails, place
        if example.answer is not None:
            _assert_same_shape(json.loads(outcome["output"]), example.answer, place)
    assert test_event.event["type"] == "webhook.test"
    assert (tmp_path / "python" / "quickstart" / "banana.jpeg").stat().st_size > 10_000
    assert (tmp_path / "bash" / "images" / "banana.jpg").stat().st_size > 10_000
    _tell_what_was_not_run()


def _tell_what_was_not_run() -> None:
    if not HAS_NODE:
        pytest.skip(
            "THE EXAMPLES IN JAVASCRIPT WERE NOT RUN: there is no Node on this machine. All others passed."
        )


async def _run(language: str, examples: Sequence[Example], folder: Path) -> list[tuple[Example, Any]]:
    """One process for all of them."""
    for example in examples:
        (folder / example.page).mkdir(parents=True, exist_ok=True)
    (folder / ".curlrc").write_text("fail-with-body\nshow-error\n")
    todo = [
        {"folder": str(folder / one.page), "environment": one.environment, "text": one.block.text}
        for one in examples
    ]
    (folder / "todo.json").write_text(json.dumps(todo))
    runner = {
        "bash": [sys.executable, RUNNERS / "run_bash.py"],
        "python": [sys.executable, RUNNERS / "run_python.py"],
        "javascript": ["node", RUNNERS / "run_javascript.mjs"],
    }[language]
    process = await asyncio.create_subprocess_exec(
        *runner,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CURL_HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    outcomes = json.loads(output)
    return list(zip(examples, outcomes, strict=True))


def _assert_same_shape(given: Any, shown: Any, place: str) -> None:
    """The same fields with values of the same kinds; null may stand for any."""
    if given is None or shown is None:
        return
    if isinstance(shown, dict):
        assert isinstance(given, dict), place
        assert list(given) == list(shown), place
        for name in shown:
            if name == "code":
                assert given[name] == shown[name], place
            _assert_same_shape(given[name], shown[name], place)
    elif isinstance(shown, list):
        assert isinstance(given, list), place
        if given and shown:
            _assert_same_shape(given[0], shown[0], place)
    elif isinstance(shown, bool | str):
        assert isinstance(given, type(shown)), place
    else:
        assert isinstance(given, int | float), place


async def test_receivers_take_what_is_signed_and_refuse_what_is_not(
    reader: AsyncClient, tmp_path: Path
) -> None:
    async with receiving() as (receiver, _):
        servers = [one for one in await examples_of(reader, receiver) if one.serves]
    assert sorted(one.block.language for one in servers) == ["javascript", "python"]

    for one in servers:
        program, ending = {"javascript": ("node", "mjs"), "python": (sys.executable, "py")}[
            one.block.language
        ]
        if program != "node" or HAS_NODE:
            file = tmp_path / f"receiver.{ending}"
            file.write_text(one.block.text)
            await _try_receiver([program, str(file)])
    _tell_what_was_not_run()


async def _try_receiver(command: list[str]) -> None:
    secret = b"s" * 32
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"WEBHOOK_SECRET": signature.secret_text(secret), "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *command, env={"PATH": os.environ["PATH"], **environment}, stdout=asyncio.subprocess.PIPE
    )
    body = json.dumps(
        {"type": "image.completed", "timestamp": "2027-01-31", "data": {"id": "gen_é"}}
    ).encode()
    now = int(time.time())
    good = signature.headers("evt_1", now, body, [b"another" * 5, secret])
    forged = signature.headers("evt_1", now, body, [b"another" * 5])
    old = signature.headers("evt_1", now - 3_600, body, [secret])
    try:
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as sender:
            statuses = [(await _post(sender, body, headers)) for headers in (good, forged, old, {})]
        assert statuses == [204, 400, 400, 400], command
        assert process.stdout
        assert (await process.stdout.readline()).decode().strip() == "image.completed gen_é"
    finally:
        process.kill()
        await process.wait()


async def _post(sender: AsyncClient, body: bytes, headers: dict[str, str]) -> int:
    for _ in range(200):
        with contextlib.suppress(ConnectError):
            return (await sender.post("/", content=body, headers=headers)).status_code
        await asyncio.sleep(0.05)
    raise AssertionError("the receiver does not listen")
