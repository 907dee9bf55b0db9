"""Pictures are sent whole while few bytes are on their way so, else in parts: the same bytes either way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from nanobanana.errors import NotFoundError
from nanobanana.web import picture_file
from nanobanana.web.picture_file import PictureFile

PICTURE = bytes(range(250)) * 800  # 200 kB


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "picture.png"
    file.write_bytes(PICTURE)
    return file


def answer(file: Path) -> PictureFile:
    return PictureFile(file, file.stat(), {})


async def sent(response: PictureFile, *, taken: asyncio.Event | None = None, **scope: Any) -> list[Message]:
    messages = []

    async def send(message: Message) -> None:
        messages.append(message)
        if taken and message["type"] == "http.response.body":
            await taken.wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    await response({"type": "http", "method": "GET", "headers": [], **scope}, receive, send)
    return messages


def bodies(messages: list[Message]) -> list[bytes]:
    return [bytes(message["body"]) for message in messages if message["type"] == "http.response.body"]


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("bound", ["_BYTES_ON_THEIR_WAY", "_LARGEST"])
async def test_a_picture_is_sent_whole_up_to_the_bounds_and_in_parts_beyond(
    file: Path, monkeypatch: pytest.MonkeyPatch, bound: str, *, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr(picture_file, "_in_memory", lambda _file, _size: None)
    monkeypatch.setattr(picture_file, bound, len(PICTURE))
    within = await sent(answer(file))
    monkeypatch.setattr(picture_file, bound, len(PICTURE) - 1)
    beyond = await sent(answer(file))

    assert bodies(within) == [PICTURE, b""]
    assert b"".join(bodies(beyond)) == PICTURE
    assert len(bodies(beyond)) > 2
    assert within[0] == beyond[0]


async def test_what_a_slow_caller_has_not_taken_is_on_its_way(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_file, "_BYTES_ON_THEIR_WAY", 2 * len(PICTURE) - 1)
    taken = asyncio.Event()
    slow = asyncio.create_task(sent(answer(file), taken=taken))
    await asyncio.sleep(0.05)

    meanwhile = await sent(answer(file))
    taken.set()
    await slow
    afterwards = await sent(answer(file))

    assert b"".join(bodies(meanwhile)) == PICTURE
    assert (len(bodies(meanwhile)) > 2, len(bodies(afterwards))) == (True, 2)


async def test_a_file_that_was_deleted_a_moment_ago_is_not_found(file: Path) -> None:
    response = answer(file)
    response._file = file.with_name("gone.png")

    with pytest.raises(NotFoundError):
        await sent(response)
    assert PictureFile._on_their_way == 0


async def test_a_part_or_the_head_alone_is_the_frameworks_work(file: Path) -> None:
    part = await sent(answer(file), headers=[(b"range", b"bytes=10-19")])
    head = await sent(answer(file), method="HEAD")

    assert (part[0]["status"], b"".join(bodies(part))) == (206, PICTURE[10:20])
    assert b"".join(bodies(head)) == b""
