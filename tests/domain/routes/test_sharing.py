"""Processes know of each other's routes through Redis, and manage without."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from redis.asyncio import Redis

from nanobanana.domain.routes.errors import NoRouteError
from nanobanana.domain.routes.repository import BreakersInRedis
from nanobanana.domain.routes.service import Routes
from nanobanana.domain.routes.types import Served
from nanobanana.storage.redis import open_redis
from tests.domain.routes.conftest import Clock, Google, RoutesFactory, ask, states


@pytest.fixture
async def redis(patience_with_redis: None) -> AsyncIterator[Redis]:
    redis = open_redis(os.environ["TEST_REDIS_URL"])
    yield redis
    await redis.aclose()


@pytest.fixture
def shared(redis: Redis) -> BreakersInRedis:
    return BreakersInRedis(redis, name=secrets.token_hex(8))


async def test_what_one_process_finds_out_the_others_know_after_an_exchange(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis
) -> None:
    await google.will("primary", "api_key_leaked")
    one, other = (routes("primary", "standby", shared=shared) for _ in range(2))
    await ask(one)

    await other.exchange()

    assert other.health() == one.health()
    await ask(other)
    assert await google.calls("primary") == 1


async def test_an_operator_in_another_process_brings_a_route_back_for_all(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "api_key_leaked")
    one, operators = (routes("primary", "standby", shared=shared) for _ in range(2))
    await ask(one)
    clock.now += 1

    await operators.exchange()
    assert await operators.reopen("primary")
    await one.exchange()

    assert states(one) == {"primary": "operational", "standby": "operational"}


async def test_of_all_processes_one_probes(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "latency=0.3,ok")
    processes = [routes("primary", shared=shared) for _ in range(3)]
    with suppress(NoRouteError):
        await ask(processes[0])
    for process in processes:
        await process.exchange()
        assert states(process) == {"primary": "open"}
    clock.now += 5

    asked = [ask(process) for process in processes for _ in range(20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert await google.calls("primary") == 2
    assert sum(isinstance(answer, NoRouteError) for answer in answers) == 59
    for process in processes:
        await process.exchange()
        assert states(process) == {"primary": "operational"}


async def test_who_has_not_heard_yet_how_a_probe_ended_does_not_send_another(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "overloaded")
    processes = [routes("primary", shared=shared) for _ in range(3)]
    with suppress(NoRouteError):
        await ask(processes[0])
    for process in processes:
        await process.exchange()
    clock.now += 5

    for process in processes:
        with pytest.raises(NoRouteError):
            await ask(process)

    assert await google.calls("primary") == 2
    assert [states(process) for process in processes] == [{"primary": "open"}] * 3


async def test_a_probe_that_was_cancelled_lets_another_process_try(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "hang")
    one, other = (routes("primary", shared=shared) for _ in range(2))
    with suppress(NoRouteError):
        await ask(one)
    clock.now += 5
    probe = asyncio.create_task(ask(one))
    while await google.calls("primary") < 2:
        await asyncio.sleep(0.01)

    clock.now += 1
    probe.cancel()
    await asyncio.wait({probe})
    await one.exchange()
    await other.exchange()

    await ask(other)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nanobanana.domain.routes.rules.PROBE_LEASE_S", 1.0)


@pytest.mark.usefixtures("short_lease")
@pytest.mark.parametrize("outcome", ["ok", "api_key_leaked"])
async def test_another_probes_soon_after_a_process_froze_at_it_which_then_has_no_say(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock, outcome: str
) -> None:
    await google.will("primary", "quota_minute=5", f"latency=2.5,{outcome}", "latency=2,ok")
    frozen, other, third = (routes("primary", shared=shared) for _ in range(3))
    with suppress(NoRouteError):
        await ask(frozen)
    clock.now += 5
    lost = await _begun(google, frozen, calls=2)
    await other.exchange()
    assert (states(other), other.room()) == ({"primary": "half-open"}, 0)

    await asyncio.sleep(1.1)
    await other.exchange()
    assert other.room() == 1
    probe = await _begun(google, other, calls=3)
    while not lost.done():
        await other.exchange()
        await asyncio.sleep(0.05)
    await third.exchange()
    assert (states(third), third.room()) == ({"primary": "half-open"}, 0)
    await probe

    for process in (frozen, other, third):
        await process.exchange()
        assert states(process) == {"primary": "operational"}
    assert await google.calls("primary") == 3
    await asyncio.gather(lost, return_exceptions=True)


@pytest.mark.usefixtures("short_lease")
async def test_a_probe_longer_than_its_lease_is_nobody_elses_while_its_process_lives(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "hang")
    one, other = (routes("primary", shared=shared) for _ in range(2))
    with suppress(NoRouteError):
        await ask(one)
    clock.now += 5
    probe = await _begun(google, one, calls=2)

    for _ in range(15):
        await one.exchange()
        await other.exchange()
        assert (one.room(), other.room()) == (0, 0)
        await asyncio.sleep(0.1)

    assert await google.calls("primary") == 2
    probe.cancel()
    await asyncio.wait({probe})


@pytest.mark.parametrize("heard", [False, True])
async def test_a_call_that_began_before_an_operators_word_does_not_undo_it(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock, *, heard: bool
) -> None:
    await google.will("primary", "latency=0.5,api_key_leaked", "api_key_leaked")
    stale, one, operators = (routes("primary", shared=shared) for _ in range(3))
    slow = await _begun(google, stale, calls=1)
    with suppress(NoRouteError):
        await ask(one)
    await operators.exchange()
    assert states(operators) == {"primary": "out"}

    assert await operators.reopen("primary")
    clock.now += 1
    if heard:
        await stale.exchange()
    with suppress(NoRouteError):
        await slow

    for process in (stale, one, operators):
        await process.exchange()
        assert states(process) == {"primary": "operational"}


async def test_an_operators_word_counts_though_the_state_changes_at_that_moment(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "quota_day")
    one, operators = (routes("primary", shared=shared) for _ in range(2))
    with suppress(NoRouteError):
        await ask(one)
    await operators.exchange()
    clock.now += 5
    with suppress(NoRouteError):
        await ask(one)

    assert await operators.reopen("primary")

    await one.exchange()
    assert states(one) == {"primary": "operational"}


async def test_another_machines_fast_clock_keeps_no_route_shut_for_longer_than_a_minute(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5")
    fast, right = (routes("primary", shared=shared) for _ in range(2))
    clock.now += 3_600
    with suppress(NoRouteError):
        await ask(fast)
    clock.now -= 3_600

    await right.exchange()
    clock.now += 59
    await right.exchange()
    assert right.room() == 0
    clock.now += 1
    await ask(right)
    assert states(right) == {"primary": "operational"}


async def _begun(google: Google, routes: Routes, *, calls: int) -> asyncio.Task[Served]:
    """A call that Google has, as the last of so many."""
    call = asyncio.create_task(ask(routes))
    while await google.calls("primary") < calls:
        await asyncio.sleep(0.01)
    return call


async def test_what_redis_has_lost_is_told_again(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis, redis: Redis
) -> None:
    await google.will("primary", "quota_day")
    one, other = (routes("primary", shared=shared) for _ in range(2))
    with suppress(NoRouteError):
        await ask(one)
    await redis.delete(shared._hash)

    await one.exchange()
    await other.exchange()

    assert states(other) == {"primary": "open"}


async def test_without_redis_each_process_opens_probes_and_closes_alone(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    nowhere = BreakersInRedis(open_redis("unix:///nonexistent/valkey.sock"), name="x")
    await google.will("primary", "quota_minute=5", "latency=0.2,ok")
    one, other = (routes("primary", shared=nowhere) for _ in range(2))
    with suppress(NoRouteError):
        await ask(one)

    assert not await one.exchange()
    assert (states(one), states(other)) == ({"primary": "open"}, {"primary": "operational"})
    clock.now += 5
    await asyncio.gather(*(ask(one) for _ in range(20)), return_exceptions=True)

    assert (await google.calls("primary"), states(one)) == (2, {"primary": "operational"})


async def test_a_new_key_does_not_inherit_the_state_of_the_old_one(
    google: Google, routes: RoutesFactory, shared: BreakersInRedis
) -> None:
    await google.will("primary", "api_key_leaked")
    with suppress(NoRouteError):
        await ask(routes("primary", shared=shared))
    google.keys["primary"] = google.keys["standby"]

    anew = routes("primary", shared=shared)
    await anew.exchange()

    assert states(anew) == {"primary": "operational"}
