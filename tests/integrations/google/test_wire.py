"""How answers are read: one request per call, few bodies at once, and bounds on everything."""

import asyncio
from typing import Literal

import aiohttp
import pytest

from nanobanana.integrations.google import client, http
from nanobanana.integrations.google.errors import BrokenAnswerError, ConnectionLostError, TimedOutError
from nanobanana.integrations.google.types import ImageRequest
from tests.integrations.google.conftest import GoogleFactory
from tests.integrations.google.raw_server import JPEG, RawServer, http_answer, picture_answer

REQUEST = ImageRequest(prompt="a quiet hill", width=1024, height=1024)


class WatchedSlot(asyncio.Semaphore):
    """One slot; `wanted` is set when somebody has to wait for it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.wanted = asyncio.Event()

    async def acquire(self) -> Literal[True]:
        if self.locked():
            self.wanted.set()
        return await super().acquire()


async def test_a_connection_that_the_server_closed_is_not_asked_twice(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    # given a connection in the pool
    images = google(base_url=raw_server.url)
    async with images.generate(REQUEST):
        pass

    # when the server takes the next request on it and closes
    raw_server.answer, raw_server.close_after = b"", True
    with pytest.raises(ConnectionLostError) as caught:
        await images.generate(REQUEST).__aenter__()

    # then
    assert (raw_server.connections, len(raw_server.requests)) == (1, 2)
    assert caught.value.maybe_charged


async def test_connections_are_used_again(google: GoogleFactory, raw_server: RawServer) -> None:
    images = google(base_url=raw_server.url)
    for _ in range(3):
        async with images.generate(REQUEST):
            pass

    assert raw_server.connections == 1


@pytest.mark.parametrize("close_after", [False, True])
async def test_waiting_for_a_slot_never_loses_a_picture(
    google: GoogleFactory, raw_server: RawServer, monkeypatch: pytest.MonkeyPatch, *, close_after: bool
) -> None:
    # given one slot, taken, and limits shorter than the wait
    monkeypatch.setattr(http, "IDLE_TIMEOUT_S", 1)
    raw_server.close_after = close_after
    slot = asyncio.Semaphore(1)
    images = google(base_url=raw_server.url, timeout_s=1, body_slots=slot)

    async def fetch() -> bytes:
        async with images.generate(REQUEST) as picture:
            return picture.data

    # when three answers wait for longer than those limits
    async with slot:
        waiting = [asyncio.create_task(fetch()) for _ in range(3)]
        _, pending = await asyncio.wait(waiting, timeout=1.5)
        assert len(pending) == 3
        assert len(raw_server.requests) == 3

    # then
    assert await asyncio.gather(*waiting) == [JPEG] * 3


async def test_a_slot_is_held_until_the_block_ends(google: GoogleFactory, raw_server: RawServer) -> None:
    slot = asyncio.Semaphore(1)

    async with google(base_url=raw_server.url, body_slots=slot).generate(REQUEST):
        assert slot.locked()

    assert not slot.locked()


async def test_an_error_inside_the_block_passes_unchanged_and_frees_the_slot(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    slot = asyncio.Semaphore(1)

    with pytest.raises(aiohttp.ClientError, match="the caller's own"):
        async with google(base_url=raw_server.url, body_slots=slot).generate(REQUEST):
            raise aiohttp.ClientError("the caller's own")

    assert not slot.locked()


async def test_who_is_cancelled_while_waiting_for_a_slot_leaves_nothing_behind(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    # given an answer that waits for a slot
    slot = WatchedSlot()
    images = google(base_url=raw_server.url, body_slots=slot)
    async with slot:
        waiting = asyncio.create_task(images.generate(REQUEST).__aenter__())
        await slot.wanted.wait()

        # when
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        # then the connection with the unread body is closed
        async with asyncio.timeout(5):
            await raw_server.connection_ended.wait()
    assert not slot.locked()


async def test_an_answer_that_does_not_begin_in_time_is_given_up(
    google: GoogleFactory, raw_server: RawServer
) -> None:
    raw_server.let_go.clear()

    with pytest.raises(TimedOutError):
        await google(base_url=raw_server.url, timeout_s=0.2).generate(REQUEST).__aenter__()

    assert len(raw_server.requests) == 1


async def test_an_answer_that_is_too_large_is_cut_off(
    google: GoogleFactory, raw_server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", len(picture_answer()) - 1)

    with pytest.raises(BrokenAnswerError, match="too large"):
        await google(base_url=raw_server.url).generate(REQUEST).__aenter__()


async def test_of_an_error_no_more_is_read_than_needed(google: GoogleFactory, raw_server: RawServer) -> None:
    # given an error with a body that never ends
    raw_server.answer = http_answer(b"x" * 200_000, status=503, length=10**9)

    # when
    with pytest.raises(Exception, match="unavailable"):
        await google(base_url=raw_server.url).generate(REQUEST).__aenter__()

    # then
    async with asyncio.timeout(5):
        await raw_server.connection_ended.wait()


async def test_a_redirect_is_not_followed(google: GoogleFactory, raw_server: RawServer) -> None:
    raw_server.answer = http_answer(b"", status=307, headers=f"location: {raw_server.url}\r\n")

    with pytest.raises(BrokenAnswerError):
        await google(base_url=raw_server.url).generate(REQUEST).__aenter__()

    assert len(raw_server.requests) == 1


async def test_what_is_no_http_is_a_broken_answer(google: GoogleFactory, raw_server: RawServer) -> None:
    raw_server.answer = b"SSH-2.0-OpenSSH_9.2\r\n"

    with pytest.raises(BrokenAnswerError, match="no HTTP"):
        await google(base_url=raw_server.url).generate(REQUEST).__aenter__()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"7", b"[1,2]", b'"text"', b"\xff"),
        b'{"candidates":[{"content":{"parts":[{"inlineData":{"data":"%%%"}}]}}]}',
        b'{"candidates":[{"content":{"parts":[{"inlineData":{"data":"AAAA"}}]}}]}',
        '{"candidates":[{"content":{"parts":[{"inlineData":{"data":"\u00e4"}}]}}]}'.encode(),
    ],
)
async def test_an_answer_without_use_is_a_broken_answer(
    google: GoogleFactory, raw_server: RawServer, body: bytes
) -> None:
    raw_server.answer = http_answer(body)

    with pytest.raises(BrokenAnswerError) as caught:
        await google(base_url=raw_server.url).generate(REQUEST).__aenter__()

    assert (caught.value.retryable, caught.value.maybe_charged) == (True, True)
