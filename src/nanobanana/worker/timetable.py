"""What every process does again and again beside its requests. Each job may run in all processes at once."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


@asynccontextmanager
async def running(*jobs: Job) -> AsyncIterator[None]:
    """Repeats the jobs while the block lasts."""
    tasks = [asyncio.create_task(_repeat(job), name=job.name) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(job: Job) -> None:
    while True:
        try:
            await job.run()
        except Exception as error:  # noqa: BLE001 - a job that fails once must still run the next time
            log.warning("job_failed", job=job.name, error=repr(error))
        # Processes that started together should not ask the database together.
        await asyncio.sleep(job.every_s * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
