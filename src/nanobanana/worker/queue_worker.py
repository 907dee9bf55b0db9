"""Runs the jobs of the queue beside a process's requests."""

import asyncio
from typing import Self

import structlog

from nanobanana.services import Services
from nanobanana.worker.tasks import add_tasks

_AT_ONCE = 2
_PAUSE_S = 5
# The first time it is lost now and then, when the library waits for the database at that moment.
_TRIES_TO_END = 3
_TRY_S = 1

log = structlog.get_logger()


class QueueWorker:
    def __init__(self, services: Services) -> None:
        self._app = services.queue.app
        self._grace_s = services.settings.shutdown_grace_s
        self._ending = False
        add_tasks(self._app, services)

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run(), name="queue_worker")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.drain()

    async def drain(self) -> None:
        """Takes no further job and lets those at work finish, for the grace period; then they begin anew elsewhere.
        Once: called again, it has been done."""
        if self._ending:
            return
        self._ending = True
        grace_s = self._grace_s
        for _ in range(_TRIES_TO_END):
            self._running.cancel()
            done, _unfinished = await asyncio.wait({self._running}, timeout=grace_s + _TRY_S)
            if done:
                return
            grace_s = 0
        log.error("queue_worker_does_not_end")

    async def _run(self) -> None:
        """The library's worker ends when the database goes away, also while it is being cancelled; ours comes back."""
        while not self._ending:
            try:
                await self._app.run_worker_async(
                    concurrency=_AT_ONCE,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=self._grace_s,
                )
                log.warning("queue_worker_stopped")
            except Exception as error:  # noqa: BLE001 - whatever it was, jobs must run again
                log.warning("queue_worker_stopped", error=repr(error))
            if not self._ending:
                await asyncio.sleep(_PAUSE_S)
