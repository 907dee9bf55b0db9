"""What a process does beside requests, and a process that has none."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from nanobanana import logs
from nanobanana.services import Services, open_services
from nanobanana.settings import Settings
from nanobanana.worker.jobs import timetable
from nanobanana.worker.queue_worker import QueueWorker
from nanobanana.worker.timetable import running


@asynccontextmanager
async def at_work(services: Services) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Does what the process owes itself and, unless that is left to workers, all others. Gives what brings the work in
    flight to its end, finished or handed over: all of it in the same grace period, which the first call begins. At the
    end of the block it is called again, for what has begun meanwhile."""
    # The timetable runs to the last: it keeps the leases of what is being finished.
    async with running(*timetable(services)):
        if not services.settings.run_jobs:
            drain = partial(_drain, services)
            yield drain
            await drain()
            return
        async with QueueWorker(services) as queue_worker:
            drain = partial(_drain, services, queue_worker)
            yield drain
            await drain()


async def _drain(services: Services, queue_worker: QueueWorker | None = None) -> None:
    grace_s = services.settings.shutdown_grace_s
    parts = [services.runner.drain(grace_s=grace_s), services.dispatcher.drain(grace_s=grace_s)]
    await asyncio.gather(*parts, *([queue_worker.drain()] if queue_worker else []))
    # Probes that were given up are free for others.
    await services.routes.exchange()


async def work(settings: Settings, *, when_ready: Callable[[], None]) -> None:
    """Works off queue and jobs until SIGTERM or SIGINT, and ends what it has begun."""
    logs.configure(settings.log_level)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_services(settings) as services, at_work(services):
        when_ready()
        await stopping.wait()
