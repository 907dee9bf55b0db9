"""The road to Redis. It may be gone at any time: whoever calls must have an answer to that."""

import asyncio
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import RedisError

CONNECTIONS = 8
_CONNECT_S = 0.05
_ANSWER_S = 0.1
# For one of the connections: a crowd of callers is no sign of a Redis that is gone.
_QUEUE_S = 1


def open_redis(url: str, *, connections: int = CONNECTIONS) -> Redis:
    """A client that gives up at once: the library's defaults wait seconds for a refused connection,
    for ever for a silent one, and raise at the 101st caller as though the server were dead."""
    pool = _FairPool.from_url(
        url,
        max_connections=connections,
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


class _FairPool(ConnectionPool):
    """Callers get connections in the order in which they came.

    From the library's own BlockingConnectionPool whoever gives a connection back may take it again before those who
    wait: in a crowd of 16 some waited for a second, in vain. This one is cheaper, too.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._free = asyncio.Semaphore(self.max_connections)

    async def get_connection(
        self, command_name: str | None = None, *keys: Any, **options: Any
    ) -> AbstractConnection:
        del command_name, keys, options  # the library no longer uses them
        await self._wait_for_turn()
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        try:
            await super().release(connection)
        finally:
            self._free.release()

    async def _wait_for_turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(_QUEUE_S):
                await self._free.acquire()
        except TimeoutError:
            raise NoConnectionError("No connection to Redis has become free.") from None
