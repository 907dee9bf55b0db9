"""What a process does beside requests, and a process that has none."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nanobanana import logs
from nanobanana.services import Services, open_services
from nanobanana.settings import Settings
from nanobanana.worker.jobs import timetable
from nanobanana.worker.queue_worker import QueueWorker
from nanobanana.worker.timetable import running


@asynccontextmanager
async def at_work(services: Services) -> AsyncIterator[None]:
    """Does what the process owes itself and, unless that is left to workers, all others. At the end of the block the
    work in flight is finished or handed over."""
    if services.settings.run_jobs:
        async with running(*timetable(services)), QueueWorker(services) as queue_worker:
            yield
            # The timetable still runs: it keeps the leases of what is being finished.
            await asyncio.gather(
                drain(services),
                queue_worker.drain(),
                services.dispatcher.drain(grace_s=services.settings.shutdown_grace_s),
            )
    else:
        async with running(*timetable(services)):
            yield
            await drain(services)


async def drain(services: Services) -> None:
    await services.runner.drain(grace_s=services.settings.shutdown_grace_s)
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
