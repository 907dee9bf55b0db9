"""Never more than N in any window: the script in Redis and the windows in memory against a plain model."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from nanobanana.domain.limits.repository import SCRIPT, WindowsInRedis
from nanobanana.domain.limits.rules import WindowsInMemory
from nanobanana.domain.limits.service import Limiter
from nanobanana.domain.limits.types import Limit, Verdict
from nanobanana.storage.redis import SharedConnection
from tests.domain.limits.conftest import MakeLimiter
from tests.domain.limits.plain_model import PlainModel

Take = Callable[[Mapping[str, Limit], str, float], Awaitable[Verdict]]
GiveBack = Callable[[Mapping[str, Limit], str], Awaitable[None]]

LIMITS = {
    f"{name}:{window_s}": Limit(name=name, subject="", tokens=tokens, window_s=window_s)
    for name, tokens, window_s in [("a", 1, 1), ("a", 3, 10), ("b", 2, 3), ("c", 5, 7)]
}
# Steps of a 64th of a second are exact as floats and as microseconds; many land right on a window's end.
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 63, 64, 65, 3 * 64 - 1, 3 * 64, 7 * 64, 10 * 64, 11 * 64]),
        st.sets(st.sampled_from(sorted(LIMITS)), min_size=1),
        st.sampled_from(["new", "new", "x", "y", "x comes back", "y comes back", "nobody's comes back"]),
    ),
    max_size=40,
)


async def _follows_the_model(take: Take, give_back: GiveBack, steps: list[tuple[int, set[str], str]]) -> None:
    model, now = PlainModel(), 0.0
    for number, (pause, keys, token) in enumerate(steps):
        now += pause / 64
        wanted = {key: LIMITS[key] for key in sorted(keys)}
        if token.endswith(" comes back"):
            name = token.removesuffix(" comes back")
            await give_back(wanted, name)
            model.give_back(wanted, name, now)
            continue
        name = f"new {number}" if token == "new" else token
        verdict = await take(wanted, name, now)

        assert verdict.allowed == model.take(wanted, name, now)
        for (key, limit), window in zip(wanted.items(), verdict.windows, strict=True):
            assert window.remaining == limit.tokens - len(model.counted(key, limit, now))
        if not verdict.allowed:
            again = now + verdict.tightest.reset_s
            assert model.allows(wanted, "another", again)
            assert not model.allows(wanted, "another", again - 1 / 64)
    for key, limit in LIMITS.items():
        assert model.most_in_any_window(key, limit) <= limit.tokens


@settings(deadline=None)
@given(STEPS)
def test_in_memory_as_in_the_model(steps: list[tuple[int, set[str], str]]) -> None:
    windows = WindowsInMemory()

    async def take(wanted: Mapping[str, Limit], token: str, now: float) -> Verdict:
        return windows.take(wanted, token=token, now=now)

    async def give_back(wanted: Mapping[str, Limit], token: str) -> None:
        windows.give_back(wanted, token=token)

    asyncio.run(_follows_the_model(take, give_back, steps))
    windows.forget_ended(1e9)
    assert (windows._size, windows._taken) == (0, {})


@settings(deadline=None)
@given(STEPS)
def test_in_redis_as_in_the_model(steps: list[tuple[int, set[str], str]]) -> None:
    asyncio.run(_redis_follows_the_model(steps))


async def _redis_follows_the_model(steps: list[tuple[int, set[str], str]]) -> None:
    """The script takes its time from a hash of this example's instead of the server's clock."""
    example = secrets.token_hex(8)
    async with Redis.from_url(os.environ["TEST_REDIS_URL"]) as redis:
        assert SCRIPT.count("redis.call('TIME')") == 1
        stopped_clock = f"redis.call('HMGET', 'clock {example}', 's', 'us')"
        shared = SharedConnection(os.environ["TEST_REDIS_URL"])
        windows = WindowsInRedis(shared, script=SCRIPT.replace("redis.call('TIME')", stopped_clock))

        async def take(wanted: Mapping[str, Limit], token: str, now: float) -> Verdict:
            moment = {"s": int(now) + 1_800_000_000, "us": int(now % 1 * 1_000_000)}
            await redis.hset(f"clock {example}", mapping=moment)
            own = {f"{example}:{key}": limit for key, limit in wanted.items()}
            return await windows.take(own, token=token)

        async def give_back(wanted: Mapping[str, Limit], token: str) -> None:
            windows.give_back({f"{example}:{key}": limit for key, limit in wanted.items()}, token=token)

        await _follows_the_model(take, give_back, steps)
        shared.drop()


@pytest.fixture
def limiters(patience_with_redis: None, limiter: MakeLimiter) -> list[Limiter]:
    """As many as there might be processes."""
    return [limiter(os.environ["TEST_REDIS_URL"], processes=5) for _ in range(5)]


async def test_fifty_at_once_from_five_processes_get_exactly_what_there_is(limiters: list[Limiter]) -> None:
    hour = Limit(name="hour", subject="ada", tokens=7, window_s=3600)
    day = Limit(name="day", subject="ada", tokens=30, window_s=86_400)

    verdicts = await asyncio.gather(*(limiters[i % 5].take([hour, day]) for i in range(50)))

    granted = [verdict for verdict in verdicts if verdict.allowed]
    assert sorted(verdict.windows[0].remaining for verdict in granted) == list(range(7))
    assert {verdict.windows[1].remaining for verdict in verdicts if not verdict.allowed} == {23}
    assert all(3595 < verdict.retry_after_s <= 3600 for verdict in verdicts if not verdict.allowed)


async def test_a_refusal_takes_no_token_anywhere(limiters: list[Limiter]) -> None:
    full = Limit(name="full", subject="ada", tokens=1, window_s=60)
    wide = Limit(name="wide", subject="ada", tokens=10, window_s=60)
    await limiters[0].take([full])

    refused = await limiters[1].take([wide, full])
    after = await limiters[2].take([wide])

    assert (refused.allowed, refused.tightest.limit) == (False, full)
    assert after.windows[0].remaining == 9


async def test_one_token_costs_once_however_often_it_comes(limiters: list[Limiter]) -> None:
    limit = Limit(name="hour", subject="ada", tokens=2, window_s=3600)

    verdicts = await asyncio.gather(*(limiters[i % 5].take([limit], token="order 17") for i in range(50)))
    other = await limiters[0].take([limit])

    assert all(verdict.allowed and verdict.windows[0].remaining == 1 for verdict in verdicts)
    assert (other.allowed, other.windows[0].remaining) == (True, 0)


async def test_looking_takes_nothing_and_tells_what_taking_would_meet(limiters: list[Limiter]) -> None:
    limit = Limit(name="hour", subject="ada", tokens=1, window_s=3600)

    looks = [await limiters[i % 5].look([limit]) for i in range(20)]
    taken = await limiters[0].take([limit], token="order 17")
    full = await limiters[1].look([limit])

    assert all(look.allowed and look.windows[0].remaining == 1 for look in looks)
    assert taken.allowed
    assert (full.allowed, full.windows[0].remaining) == (False, 0)


async def test_what_is_given_back_is_there_for_others_on_all_processes(limiters: list[Limiter]) -> None:
    limit = Limit(name="hour", subject="ada", tokens=1, window_s=3600)
    for limiter in limiters:
        await limiter.open()
    await limiters[0].take([limit], token="order 17")

    limiters[1].give_back([limit], token="order 18")
    await limiters[1].look([limit])  # so that it has arrived
    refused = await limiters[2].take([limit])
    limiters[3].give_back([limit], token="order 17")
    await limiters[3].look([limit])

    assert not refused.allowed
    assert (await limiters[4].take([limit])).allowed


async def test_what_redis_keeps_ends_with_its_window_and_names_nobody(limiters: list[Limiter]) -> None:
    name = f"name {secrets.token_hex(8)}"
    await limiters[0].take([Limit(name=name, subject="ada@example.com", tokens=2, window_s=60)])

    async with Redis.from_url(os.environ["TEST_REDIS_URL"], decode_responses=True) as redis:
        [key] = [key async for key in redis.scan_iter(f"{{limits}}:{name}*", count=10_000)]
        assert 59_000 < await redis.pttl(key) <= 60_000
    assert "ada" not in key
