"""The same rule in each process for its share, and never open."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nanobanana.domain.limits.rules import WindowsInMemory
from nanobanana.domain.limits.types import Limit
from nanobanana.errors import OverloadedError
from nanobanana.metrics import LIMITED_WITHOUT_REDIS
from tests.domain.limits.conftest import MakeLimiter, OpenRedis

HOUR = Limit(name="hour", subject="ada", tokens=10, window_s=3600)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(("processes", "share"), [(1, 10), (3, 3), (4, 2), (20, 1)])
async def test_each_process_grants_its_share(
    limiter: MakeLimiter, tmp_path: Path, processes: int, share: int
) -> None:
    alone = limiter(f"unix://{tmp_path}/nothing.sock", processes=processes)

    verdicts = [await alone.take([HOUR]) for _ in range(15)]

    assert sum(verdict.allowed for verdict in verdicts) == share
    assert verdicts[0].windows[0].remaining == share - 1


async def test_looking_takes_nothing_and_what_is_given_back_is_there_again(
    limiter: MakeLimiter, tmp_path: Path
) -> None:
    alone = limiter(f"unix://{tmp_path}/nothing.sock", processes=10)
    before = await alone.look([HOUR])
    await alone.take([HOUR], token="order 17")
    full = await alone.look([HOUR])

    alone.give_back([HOUR], token="order 17")

    assert [before.allowed, full.allowed, (await alone.take([HOUR])).allowed] == [True, False, True]


async def test_fifty_at_once_lose_little_time_and_the_next_none(limiter: MakeLimiter, silent: str) -> None:
    alone = limiter(silent)

    async def seconds() -> float:
        began = time.monotonic()
        await alone.take([HOUR])
        return time.monotonic() - began

    first = await asyncio.gather(*(seconds() for _ in range(50)))
    next_one = await seconds()

    # 140 ms; the rest is for a machine that has other tests to run.
    assert max(first) < 1
    assert next_one < 0.1


async def test_one_slow_call_does_not_count_while_a_probe_is_answered(
    limiter: MakeLimiter, silent: str
) -> None:
    before = LIMITED_WITHOUT_REDIS._value.get()
    slow = limiter(silent, probe=os.environ["TEST_REDIS_URL"])

    verdict = await slow.take([HOUR])

    assert verdict.allowed
    assert slow._redis_is_up
    assert LIMITED_WITHOUT_REDIS._value.get() == before + 1


async def test_redis_that_is_back_is_found_by_the_next_probe(
    limiter: MakeLimiter, connect: OpenRedis, silent: str
) -> None:
    alone = limiter(silent)
    await alone.take([HOUR])
    assert not alone._redis_is_up

    alone._probe = connect(os.environ["TEST_REDIS_URL"])

    assert await alone.find_redis()
    assert alone._redis_is_up


def test_memory_is_bounded_and_full_is_not_open() -> None:
    windows = WindowsInMemory(capacity=3)
    for number in range(3):
        windows.take({f"key {number}": HOUR}, token="t", now=0)

    with pytest.raises(OverloadedError):
        windows.take({"key 3": HOUR}, token="t", now=1)

    windows.forget_ended(3600)
    assert windows.take({"key 3": HOUR}, token="t", now=3600).allowed


def test_those_who_are_refused_leave_nothing_in_memory() -> None:
    windows = WindowsInMemory()
    everybody = Limit(name="global", subject="", tokens=1, window_s=60)

    for number in range(100):
        windows.take({"global": everybody, f"address {number}": HOUR}, token=str(number), now=0)

    assert windows._taken.keys() == {"global", "address 0"}
