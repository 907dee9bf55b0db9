import asyncio

import pytest

from nanobanana.storage.database import Database, DatabaseUnavailableError


async def test_a_database_that_is_away_is_an_error_with_a_sentence() -> None:
    database = Database("postgresql://127.0.0.1:1/nothing")

    with pytest.raises(DatabaseUnavailableError, match="The database does not answer"):
        await database.open(patience_s=0.1)
    await database.close()


async def test_statements_beyond_the_pools_size_wait_are_counted_and_leave_their_turn_when_given_up(
    database_url: str,
) -> None:
    database = Database(database_url, size=2)
    await database.open()
    try:
        calls = [asyncio.create_task(_sleep(database, 30)) for _ in range(5)]
        async with asyncio.timeout(5):
            while database.pool_counts() != {"open": 2, "idle": 0, "waiting": 3}:
                await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)

        async with asyncio.timeout(5):
            await asyncio.gather(*(_sleep(database, 0.01) for _ in range(5)))
        assert database.pool_counts()["waiting"] == 0
    finally:
        await database.close()


async def _sleep(database: Database, seconds: float) -> None:
    await database.statement("select pg_sleep(%(seconds)s)", {"seconds": seconds})
