"""What every process does again and again beside its requests. Each job may run in all processes at once."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


# For a job that is at work when the timetable ends; it is then cancelled.
_LAST_RUN_S = 5


@asynccontextmanager
async def running(*jobs: Job) -> AsyncIterator[None]:
    """Repeats the jobs while the block lasts, then lets those at work finish."""
    ending = asyncio.Event()
    tasks = {asyncio.create_task(_repeat(job, ending), name=job.name) for job in jobs}
    try:
        yield
    finally:
        ending.set()
        _, unfinished = await asyncio.wait(tasks, timeout=_LAST_RUN_S)
        for task in unfinished:
            task.cancel()


async def _repeat(job: Job, ending: asyncio.Event) -> None:
    # A start has enough to do, and is the same moment for all processes of a service: the jobs come in one by one.
    await _pause(job.every_s * random.uniform(0, 0.1), ending)  # noqa: S311 - no secret
    while not ending.is_set():
        try:
            await job.run()
        except Exception as error:  # noqa: BLE001 - a job that fails once must still run the next time
            log.warning("job_failed", job=job.name, error=repr(error))
        # Processes that started together should not ask the database together.
        await _pause(job.every_s * random.uniform(0.8, 1.2), ending)  # noqa: S311 - no secret


async def _pause(seconds: float, ending: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(ending.wait(), seconds)
