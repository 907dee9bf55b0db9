"""For commands that work on the database alone, beside a running service or without one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nanobanana.cli.configuration import one_sentence
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.embedded.servers import running_servers

Result = TypeVar("Result")

# For a database that does not answer.
_PATIENCE_S = 5


def with_database(
    settings: Settings, work: Callable[[Database], Awaitable[Result]], *, connections: int = 1
) -> Result:
    """Ends the command with a sentence when it cannot be done."""

    async def run(url: str) -> Result:
        database = Database(url, size=connections)
        await database.open(patience_s=_PATIENCE_S)
        try:
            return await work(database)
        finally:
            await database.close()

    with one_sentence(), running_servers(settings) as complete:
        assert complete.database_url is not None  # noqa: S101  what running_servers promises
        return asyncio.run(run(complete.database_url.get_secret_value()))
    raise AssertionError  # one_sentence() ends the command
