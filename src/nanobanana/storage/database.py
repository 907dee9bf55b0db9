"""The road to PostgreSQL: one psycopg pool under ordinary queries and hand-written statements alike."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, LiteralString

import psycopg
import sqlalchemy
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from nanobanana.errors import ServiceUnavailableError

__all__ = ["AsyncConnection", "Database", "translated"]


class DatabaseUnavailableError(ServiceUnavailableError):
    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("The database does not answer at the moment. Try again in a few seconds.")


# For a statement or a short transaction, and for a free connection. A healthy server needs milliseconds, a frozen one
# would hold callers for as long as it is frozen.
_PATIENCE_S = 10


class Database:
    """`begin()` gives a SQLAlchemy connection in a transaction, `statement()` runs one prepared statement.

    Both borrow from the same pool, so that `size` bounds what one process holds of the server.
    """

    def __init__(self, url: str, *, size: int = 4) -> None:
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            timeout=_PATIENCE_S,
            open=False,
            close_returns=True,
            kwargs={"autocommit": True, "prepare_threshold": 0},
        )
        # Statements wait for their turn here: the pool would make a task for each that waits, at a tenth of a refusal's CPU.
        self._turns = asyncio.Semaphore(size)
        self._size = size
        self._statements = 0
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=self._lend,
            poolclass=NullPool,
            use_native_hstore=False,
            # An error that breaks a request is logged; the values of its statement may be hashes and addresses.
            hide_parameters=True,
        )

    async def open(self, *, patience_s: float = 30) -> None:
        with translated():
            await self._pool.open(wait=True, timeout=patience_s)

    async def close(self) -> None:
        await self._engine.dispose()
        await self._pool.close()

    @asynccontextmanager
    async def begin(self, *, patience_s: float = _PATIENCE_S) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed when the block ends well. Nothing slow belongs inside but what reads alone."""
        with translated():
            async with asyncio.timeout(patience_s), self._engine.begin() as connection:
                yield connection

    async def statement(self, sql: LiteralString, parameters: Mapping[str, Any]) -> list[DictRow]:
        """One statement in a transaction of its own: one round trip. Gives its rows."""
        self._statements += 1
        try:
            with translated():
                async with asyncio.timeout(_PATIENCE_S), self._turns:
                    return await self._run(sql, parameters)
        finally:
            self._statements -= 1

    def pool_counts(self) -> dict[str, int]:
        """Connections open and idle, and callers that wait for one."""
        stats = self._pool.get_stats()
        return {
            "open": stats["pool_size"],
            "idle": stats["pool_available"],
            "waiting": stats["requests_waiting"] + max(0, self._statements - self._size),
        }

    async def _run(self, sql: LiteralString, parameters: Mapping[str, Any]) -> list[DictRow]:
        connection = await self._pool.getconn()
        try:
            # A flag of the client library, which costs no round trip. Set here rather than by the pool when a
            # connection comes back: the pool would do that in a task of its own, at a tenth of an image's CPU.
            if not connection.autocommit:
                await connection.set_autocommit(True)
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(sql, parameters)
            # Asking for the cursor's description would build it, at 35 us.
            gives_rows = cursor.pgresult is not None and cursor.pgresult.nfields > 0
            return await cursor.fetchall() if gives_rows else []
        finally:
            await self._pool.putconn(connection)

    async def _lend(self) -> psycopg.AsyncConnection:
        connection = await self._pool.getconn()
        await connection.set_autocommit(False)
        return connection


@contextmanager
def translated() -> Iterator[None]:
    """A server that is away is our trouble and passes; anything else wrong with a statement is a bug."""
    try:
        yield
    except (psycopg.OperationalError, sqlalchemy.exc.OperationalError, PoolTimeout, TimeoutError) as error:
        raise DatabaseUnavailableError from error
