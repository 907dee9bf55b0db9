"""Waits for generations that other processes work on: one question to the database for all who wait in this one."""

import asyncio
from contextlib import suppress

from nanobanana.domain.generation import repository
from nanobanana.domain.generation.types import Generation
from nanobanana.errors import NanoBananaError
from nanobanana.storage.database import Database

_PAUSE_S = 0.2


class Watch:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, set[asyncio.Future[Generation | None]]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def ended(self, id: str, *, wait_s: float) -> Generation | None:
        """The generation once it has reached its final state; None when it has not in `wait_s` seconds, or the
        watch is closed."""
        if self._closed:
            return None
        future: asyncio.Future[Generation | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, set()).add(future)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            return await asyncio.wait_for(future, wait_s)
        except TimeoutError:
            return None
        finally:
            self._waiting[id].discard(future)
            if not self._waiting[id]:
                del self._waiting[id]

    def close(self) -> None:
        """Nobody waits any longer."""
        self._closed = True
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)

    async def _look(self) -> None:
        while self._waiting:
            with suppress(NanoBananaError):  # a database that is away now may be back at the next look
                for generation in await repository.ended(self._database, self._waiting.keys()):
                    for future in self._waiting.get(generation.id, ()):
                        if not future.done():
                            future.set_result(generation)
            await asyncio.sleep(_PAUSE_S)
