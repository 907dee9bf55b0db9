"""What waits for a route to a model: who is next, how many may go now, and for how long anything may wait."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from nanobanana.domain.generation import queue_repository as repository
from nanobanana.domain.generation.types import Generation, Work
from nanobanana.domain.images.service import Images
from nanobanana.domain.routes.errors import NoRouteError
from nanobanana.domain.routes.service import Routes
from nanobanana.errors import ServiceUnavailableError
from nanobanana.storage.database import Database

# So that several processes share what waits, and each statement stays short.
_CLAIMED_AT_ONCE = 100
_EXPIRED_AT_ONCE = 100
# Nothing is taken up again at once after a failure that has shut no route: Google would be asked as fast as it fails.
# Of routes that are shut the breakers know best, and hear of it when another process or an operator opens one.
_PAUSE_S = 1
# The places of all that wait are looked up together, at most so often; sooner for one that has just come.
_PLACES_LAST_S = 1
_PLACES_LAST_AT_LEAST_S = 0.1

log = structlog.get_logger()


class GenerationQueue:
    """Live generations only: an image of a test key is made, or fails, at once."""

    def __init__(
        self, database: Database, *, routes: Routes, images: Images, max_age_s: int, max_length: int
    ) -> None:
        self._database = database
        self._routes = routes
        self._images = images
        self._max_age_s = max_age_s
        self._max_length = max_length
        self._no_route_until = 0.0
        self._closed = False
        self._more = False
        self._others_wait = False
        self.arrival = asyncio.Event()
        self._places: Mapping[str, int] = {}
        self._places_read_at = 0.0
        self._reading_places = asyncio.Lock()

    @property
    def max_length(self) -> int | None:
        """How many may wait, if an order of this moment is to wait rather than to be made at once: for room, or for its
        turn behind others. Less than none when nothing is taken on, not even for a test key."""
        if self.is_refusing:
            return -1
        return None if self.room() and not self._others_wait else self._max_length

    @property
    def is_refusing(self) -> bool:
        """Whether there is no place for more pictures."""
        return self._images.is_full

    def room(self) -> int:
        """How many could be made from now on."""
        there_is_no_route = self._closed or time.monotonic() < self._no_route_until
        return 0 if there_is_no_route or self.is_refusing else self._routes.room()

    def close(self) -> None:
        """This process makes nothing more; what it admits from now on waits for others."""
        self._closed = True

    def note_served(self) -> None:
        """A route works."""
        self._no_route_until = 0

    def note_arrival(self) -> None:
        """An order of this process waits. Until nothing is seen waiting, no later one overtakes it; and `arrival` tells
        whoever works off the queue, so that where there is room it hardly waits at all."""
        self._more = self._others_wait = True
        self.arrival.set()

    async def put_back(self, generation: Generation, error: NoRouteError) -> Generation | None:
        """The row as it waits again; None when it is somebody else's by now."""
        self._no_route_until = time.monotonic() + _PAUSE_S
        self._more = True
        log.warning("generation_queued", generation_id=generation.id, retry_after_s=error.retry_after_s)
        return await repository.put_back(self._database, generation)

    async def claim(self) -> tuple[list[Work], bool]:
        """What is to be made now, and whether more may be waiting. While there is no room, nobody is asked."""
        works: list[Work] = []
        if limit := min(self.room(), _CLAIMED_AT_ONCE):
            works = await repository.claim(self._database, limit=limit, max_age_s=self._max_age_s)
            self._more = self._others_wait = len(works) == limit
        return works, self._more

    async def look(self) -> None:
        """For a process that claims nothing, and so does not see by its own claims whether others wait."""
        self._others_wait = await repository.some_wait(self._database, max_age_s=self._max_age_s)

    async def too_old(self) -> list[Work]:
        """Some of those that have waited for as long as anything may."""
        return await repository.too_old(self._database, max_age_s=self._max_age_s, limit=_EXPIRED_AT_ONCE)

    async def placed(self, generations: Sequence[Generation]) -> list[Generation]:
        """The same, each that is queued with its place; without it when nobody can tell. Places move on all the time:
        they may be a second old."""
        queued = [generation.id for generation in generations if generation.state == "queued"]
        if queued:
            try:
                await self._read_places(queued)
            except ServiceUnavailableError:
                return list(generations)
        return [
            replace(generation, queue_position=self._place(generation.id))
            if generation.state == "queued"
            else generation
            for generation in generations
        ]

    def _place(self, id: str) -> int:
        return self._places.get(id, len(self._places) + 1)

    async def _read_places(self, ids: Sequence[str]) -> None:
        async with self._reading_places:
            known = all(id in self._places for id in ids)
            if time.monotonic() - self._places_read_at < (
                _PLACES_LAST_S if known else _PLACES_LAST_AT_LEAST_S
            ):
                return
            in_turn = await repository.in_turn(self._database)
            self._places = {id: place for place, id in enumerate(in_turn, start=1)}
            self._places_read_at = time.monotonic()
