"""The road to Redis. It may be gone at any time: whoever calls must have an answer to that."""

import asyncio
from collections import deque
from typing import Any

import hiredis
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError, ResponseError

_CONNECT_S = 0.05
_ANSWER_S = 0.1


def open_redis(url: str) -> Redis:
    """A client that gives up at once: the library's defaults wait seconds for a refused connection and for ever for a
    silent one. For what is asked seldom."""
    pool = ConnectionPool.from_url(
        url,
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=_ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


async def answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


class SharedConnection:
    """One connection for all callers of a process: commands go out as they come, answers come back in that order.

    A command costs a sixth of what it costs through the library's client, which lends a connection to each caller, and
    nobody waits for a free one. There are no time limits on answers: callers have theirs.
    """

    def __init__(self, url: str) -> None:
        self._connections = ConnectionPool.from_url(
            url, socket_connect_timeout=_CONNECT_S, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self._connecting = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[Any]] = deque()

    async def call(self, *command: str | int) -> Any:
        """Redis's answer. Raises RedisError or OSError: what it says is wrong, or that there is none."""
        connection = self._connection or await self._connect()
        if not connection.is_connected:
            raise _lost()  # the library would connect again behind the reader's back
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        await connection.send_packed_command(hiredis.pack_command(command), check_health=False)  # type: ignore[arg-type]
        return await answer

    def drop(self) -> None:
        """Whoever waits is told that the connection is lost. The next call makes a new one."""
        if self._reading:
            self._reading.cancel()

    async def _connect(self) -> AbstractConnection:
        async with self._connecting:
            if self._connection is None:
                connection: AbstractConnection = self._connections.make_connection()  # type: ignore[no-untyped-call]
                await connection.connect()  # type: ignore[no-untyped-call]
                self._connection = connection
                self._reading = asyncio.create_task(self._read(connection), name="redis")
            return self._connection

    async def _read(self, connection: AbstractConnection) -> None:
        try:
            while True:
                try:
                    answer, error = await connection.read_response(), None
                except ResponseError as refusal:
                    answer, error = None, refusal
                self._settle(answer, error)
        except (RedisError, OSError):
            pass
        finally:
            self._connection = None
            while self._waiting:
                self._settle(None, _lost())
            await connection.disconnect(nowait=True)

    def _settle(self, answer: Any, error: Exception | None) -> None:
        """The oldest caller's, who may have gone."""
        waiting = self._waiting.popleft()
        if waiting.done():
            return
        if error:
            waiting.set_exception(error)
        else:
            waiting.set_result(answer)


def _lost() -> RedisError:
    return ConnectionLostError("The connection to Redis is lost.")
