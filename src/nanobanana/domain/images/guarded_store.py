"""The store behind a circuit breaker of this process: nobody waits for a store that is away."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog

from nanobanana.domain.images.names import new_name
from nanobanana.domain.images.types import ImagePlace, ImageStore
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.kit.ids import new_id
from nanobanana.metrics import STORE_UP

FAILURES_TO_OPEN = 2
# A store that is well takes a picture in a fraction of this, also over a slow line. Who takes longer is away: the caller
# gets the picture otherwise.
PATIENCE_S = 3
# As large as a small picture: a disk that is all but full takes less, and would seem well again and again.
_PROBE_BYTES = 256 * 1024
_PROBE_KEEP_S = 60

log = structlog.get_logger()


class GuardedStore:
    """An ImageStore whose `put` fails at once while the breaker is open. Failures in a row open it; nobody's picture
    closes it, but a probe of the process's own timetable. What is read or deleted passes in any case: a full disk gets
    room only so."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._failures = 0
        self._under_way: set[asyncio.Timeout] = set()
        self._probe = ""
        self.is_away = False
        # Seconds since the epoch; None: it has never been away.
        self.changed_at: float | None = None
        STORE_UP.set(1)

    @property
    def place(self) -> ImagePlace:
        return self._store.place

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        if self.is_away:
            raise StoreError("the store was away a moment ago")
        try:
            # Of PostgreSQL its own patience is the measure.
            async with asyncio.timeout(PATIENCE_S if self.place == "store" else None) as limit:
                self._under_way.add(limit)
                try:
                    await self._store.put(name, data, keep_s=keep_s)
                finally:
                    self._under_way.discard(limit)
        except TimeoutError as error:
            self._failed("it takes too long")
            raise StoreError("the store takes too long") from error
        except StoreError as error:
            self._failed(str(error))
            raise
        self._failures = 0

    async def get(self, name: str) -> bytes | None:
        return await self._store.get(name)

    async def has(self, name: str) -> bool:
        return await self._store.has(name)

    async def delete(self, names: Sequence[str]) -> None:
        await self._store.delete(names)

    def link(self, name: str, *, expires_at: datetime | None) -> str | None:
        return self._store.link(name, expires_at=expires_at)

    @property
    def origin(self) -> str | None:
        return self._store.origin

    def file(self, name: str) -> Path | None:
        return self._store.file(name)

    async def names(self, beginning: str) -> list[str]:
        return await self._store.names(beginning)

    async def probe(self) -> None:
        """Whether a store that was away takes files again, and gives up their place."""
        if not self.is_away:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._store.put(self._probe, bytes(_PROBE_BYTES), keep_s=_PROBE_KEEP_S)
                await self._store.delete([self._probe])
        except (StoreError, TimeoutError):
            return
        self._failures = 0
        self._change(is_away=False)
        log.warning("store_back")

    def _failed(self, why: str) -> None:
        if self.is_away:
            return
        self._failures += 1
        log.warning("picture_not_stored", detail=why)
        if self._failures >= FAILURES_TO_OPEN:
            # A name like a picture's: what a killed probe leaves is swept up as a file without a row.
            self._probe = f"{new_name(new_id('gen'))}.png"
            self._change(is_away=True)
            log.warning("store_away", detail=why)
            self._give_up_what_is_under_way()

    def _give_up_what_is_under_way(self) -> None:
        """Their callers would only wait until they fail, too."""
        now = asyncio.get_running_loop().time()
        for limit in self._under_way:
            if not limit.expired():  # that one fails by itself just now, and cannot be hurried
                limit.reschedule(now)

    def _change(self, *, is_away: bool) -> None:
        self.is_away = is_away
        self.changed_at = time.time()
        STORE_UP.set(not is_away)
