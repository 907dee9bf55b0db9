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
