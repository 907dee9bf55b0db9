"""How all callers of a process share one connection to Redis."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import ResponseError

from nanobanana.storage.redis import SharedConnection, close_redis, open_redis


@pytest.fixture
async def shared(patience_with_redis: None) -> AsyncIterator[SharedConnection]:
    connection = SharedConnection(os.environ["TEST_REDIS_URL"])
    yield connection
    connection.drop()


async def test_each_caller_gets_the_answer_to_its_own_command(shared: SharedConnection) -> None:
    answers = await asyncio.gather(*(shared.call("ECHO", str(number)) for number in range(200)))

    assert answers == [str(number).encode() for number in range(200)]


async def test_who_leaves_takes_nobody_elses_answer_along(shared: SharedConnection) -> None:
    await shared.call("PING")
    impatient = asyncio.create_task(shared.call("ECHO", "impatient"))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await shared.call("ECHO", "patient") == b"patient"


async def test_a_refused_command_is_its_callers_alone(shared: SharedConnection) -> None:
    results = await asyncio.gather(
        shared.call("ECHO", "a"), shared.call("NONSENSE"), shared.call("ECHO", "b"), return_exceptions=True
    )

    assert results[::2] == [b"a", b"b"]
    assert isinstance(results[1], ResponseError)


async def test_a_lost_connection_is_told_to_all_who_wait_and_made_again_for_the_next(
    shared: SharedConnection,
) -> None:
    key = f"never pushed to {secrets.token_hex(8)}"
    waiting = [asyncio.create_task(shared.call("BLPOP", key, 0)) for _ in range(3)]
    while len(shared._waiting) < 3:
        await asyncio.sleep(0)

    shared.drop()
    lost = await asyncio.gather(*waiting, return_exceptions=True)

    assert all(isinstance(error, ConnectionLostError) for error in lost)
    assert await shared.call("ECHO", "again") == b"again"


async def test_a_connection_that_redis_closes_is_made_again(shared: SharedConnection) -> None:
    number = await shared.call("CLIENT", "ID")
    other = SharedConnection(os.environ["TEST_REDIS_URL"])
    await other.call("CLIENT", "KILL", "ID", number)
    other.drop()
    while shared._serving is not None:
        await asyncio.sleep(0.001)

    assert await shared.call("ECHO", "again") == b"again"


async def test_what_is_posted_is_done_before_what_is_called_later(shared: SharedConnection) -> None:
    key = f"posted {secrets.token_hex(8)}"
    await shared.call("SET", key, "before")

    shared.post("SET", key, "after")

    assert await shared.call("GETDEL", key) == b"after"


async def test_a_connection_that_does_not_close_in_time_keeps_nothing_else_open() -> None:
    redis = open_redis(os.environ["TEST_REDIS_URL"])
    connection = await redis.connection_pool.get_connection()
    await redis.connection_pool.release(connection)
    connection.socket_connect_timeout = 0

    await close_redis(redis)
