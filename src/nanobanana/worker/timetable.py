"""What every process does again and again beside its requests. Each job may run in all processes at once."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog

from nanobanana.shutdown import LAST_RUN_S

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]
    # Set by what cannot wait for the next turn.
    sooner: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def running(*jobs: Job) -> AsyncIterator[None]:
    """Repeats the jobs while the block lasts, then lets those at work finish, unless they take too long."""
    ending = asyncio.Event()
    tasks = {asyncio.create_task(_repeat(job, ending), name=job.name) for job in jobs}
    try:
        yield
    finally:
        ending.set()
        for job in jobs:
            job.sooner.set()
        _, unfinished = await asyncio.wait(tasks, timeout=LAST_RUN_S)
        for task in unfinished:
            task.cancel()


async def _repeat(job: Job, ending: asyncio.Event) -> None:
    while not ending.is_set():
        job.sooner.clear()
        try:
            await job.run()
        except Exception as error:  # noqa: BLE001 - a job that fails once must still run the next time
            log.warning("job_failed", job=job.name, error=repr(error))
        # Processes that started together should not ask the database together.
        pause = job.every_s * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        with suppress(TimeoutError):
            await asyncio.wait_for(job.sooner.wait(), pause)
