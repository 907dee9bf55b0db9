"""Jobs in PostgreSQL: what is to happen after an answer, soon and surely, whatever process dies meanwhile."""

import logging
from contextlib import suppress

import orjson
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

from nanobanana.storage.database import AsyncConnection

_DEFER = text("""
    select procrastinate_defer_jobs_v1(array[
        row('default', :task, 0, null, null, cast(:arguments as jsonb),
            now() + make_interval(secs => :after_s))
    ]::procrastinate_job_to_defer_v1[])
""")

# The library tells the standard error of each failed try, with its trace; worker/ tells our log what matters.
logging.getLogger("procrastinate").addHandler(logging.NullHandler())

# Of a worker that is gone: its heart beats each 10 s.
_STALLED_S = 30
# Long enough to look at one that went wrong. Together with all its tries a job is gone within a day.
_KEPT_HOURS = 1


async def defer(
    connection: AsyncConnection, task: str, *, after_s: int | None = None, **arguments: str
) -> None:
    """A job that exists if the caller's transaction commits, and starts then, or that many seconds later.

    Arguments stand in the table in the clear: never a password, a code, or a token.
    """
    await connection.execute(
        _DEFER, {"task": task, "after_s": after_s, "arguments": orjson.dumps(arguments).decode()}
    )


class Queue:
    def __init__(self, url: str) -> None:
        # One connection listens for new jobs, the other fetches and finishes them.
        connector = PsycopgConnector(
            conninfo=url,
            min_size=1,
            max_size=2,
            timeout=10,
            kwargs={"application_name": "nanobanana jobs"},
        )
        self.app = App(connector=connector)

    async def open(self) -> None:
        await self.app.open_async()

    async def close(self) -> None:
        await self.app.close_async()

    async def retry_stalled(self) -> None:
        """Jobs whose worker died in the middle begin anew. Two processes may do this at once."""
        jobs = self.app.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=_STALLED_S):
            with suppress(ConnectorException):  # somebody else was faster
                await jobs.retry_job(job)

    async def delete_finished(self) -> None:
        """However they ended: their arguments hold addresses."""
        await self.app.job_manager.delete_old_jobs(
            _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
