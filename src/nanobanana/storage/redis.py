"""The road to Redis. It may be gone at any time: whoever calls must have an answer to that."""

import asyncio
from collections import deque
from contextlib import suppress
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
# For a connection of which nobody is kept waiting.
_OPEN_S = 5


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


async def close_redis(redis: Redis) -> None:
    """The library raises when a connection does not say goodbye in time: nothing is lost by that, and what is closed
    after it must be closed."""
    with suppress(RedisError, OSError):
        await redis.aclose()


async def answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


class SharedConnection:
    """One connection for all callers of a process: commands go out together, at the end of a turn of the event loop, and
    answers come back in that order.

    A command costs a sixth of what it costs through the library's client, which lends a connection to each caller, and
    nobody waits for a free one. There are no time limits on answers: callers have theirs.
    """

    def __init__(self, url: str) -> None:
        self._connections = ConnectionPool.from_url(url, socket_timeout=None, retry=Retry(NoBackoff(), 0))
        self._opening: asyncio.Task[None] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._unsent: list[bytes] = []
        self._something_unsent = asyncio.Event()
        # Those whose answers are to come, the oldest first; None for an answer that nobody waits for.
        self._waiting: deque[asyncio.Future[Any] | None] = deque()

    async def call(self, *command: str | int) -> Any:
        """Redis's answer. Raises RedisError or OSError: what it says is wrong, or that there is none."""
        if not self._is_open:
            # Callers leave when their patience is at its end; a connection that takes longer serves those who come later.
            await asyncio.shield(self._open())
        answer = asyncio.get_running_loop().create_future()
        self._send(command, answer)
        return await answer

    def post(self, *command: str | int) -> None:
        """Before whatever is called later, if Redis is there at all; what it answers is nobody's concern."""
        if self._is_open:
            self._send(command, None)

    def reconnect(self) -> None:
        """Opens the connection if it is lost, without waiting: what is posted needs one."""
        if not self._is_open:
            self._open()

    def drop(self) -> None:
        """Whoever waits is told that the connection is lost. The next call makes a new one."""
        for task in (self._opening, self._serving):
            if task:
                task.cancel()

    @property
    def _is_open(self) -> bool:
        return self._serving is not None

    def _open(self) -> "asyncio.Task[None]":
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect(), name="redis")
            self._opening.add_done_callback(self._opened)
        return self._opening

    async def _connect(self) -> None:
        connection: AbstractConnection = self._connections.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(_OPEN_S):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._serving = asyncio.create_task(self._serve(connection), name="redis")
        self._serving.add_done_callback(self._ended)

    def _ended(self, _serving: "asyncio.Task[None]") -> None:
        self._serving = None
        self._unsent.clear()
        while self._waiting:
            self._settle(None, ConnectionLostError("The connection to Redis is lost."))

    def _opened(self, opening: "asyncio.Task[None]") -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # told to whoever still waits; else asyncio would complain that nobody was told

    def _send(self, command: tuple[str | int, ...], answer: asyncio.Future[Any] | None) -> None:
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]
        self._waiting.append(answer)
        self._something_unsent.set()

    async def _serve(self, connection: AbstractConnection) -> None:
        writing = asyncio.create_task(self._write(connection))
        try:
            await self._read(connection)
        except (RedisError, OSError):
            pass
        finally:
            writing.cancel()
            await connection.disconnect(nowait=True)

    async def _write(self, connection: AbstractConnection) -> None:
        # A connection that breaks here breaks for the reader, too, who then tells everybody.
        with suppress(RedisError, OSError):
            while connection.is_connected:  # else the library would connect again behind the reader's back
                await self._something_unsent.wait()
                self._something_unsent.clear()
                commands, self._unsent = b"".join(self._unsent), []
                await connection.send_packed_command(commands, check_health=False)

    async def _read(self, connection: AbstractConnection) -> None:
        while True:
            try:
                answer, error = await connection.read_response(), None
            except ResponseError as refusal:
                answer, error = None, refusal
            self._settle(answer, error)

    def _settle(self, answer: Any, error: Exception | None) -> None:
        waiting = self._waiting.popleft()
        if waiting is None or waiting.done():
            return
        if error:
            waiting.set_exception(error)
        else:
            waiting.set_result(answer)
