"""How the service stands, for everybody. The timetable looks; who asks is answered from memory, however many ask."""

import asyncio
import time
from collections.abc import Callable

from nanobanana.domain.images.guarded_store import GuardedStore
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.domain.routes.service import Routes
from nanobanana.domain.status import repository, rules
from nanobanana.domain.status.types import ServiceStatus, Sight
from nanobanana.errors import NanoBananaError
from nanobanana.storage.database import Database

_PATIENCE_S = 2


class StatusBoard:
    def __init__(
        self,
        database: Database,
        *,
        routes: Routes,
        store: GuardedStore,
        waiting_room: WaitingRoom,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._routes = routes
        self._store = store
        self._waiting_room = waiting_room
        self._clock = clock
        self._seen_database = Sight()
        self._seen_redis = Sight()
        self._waiting: int | None = None

    async def look(self) -> None:
        """At the database. It answers within two seconds, or counts as away."""
        began = self._clock()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                self._waiting = await repository.count_waiting(self._database)
        except (NanoBananaError, TimeoutError):
            self._waiting = None
        self._seen_database = rules.seen(self._seen_database, up=self._waiting is not None, now=began)

    def note_redis(self, *, up: bool) -> None:
        self._seen_redis = rules.seen(self._seen_redis, up=up, now=self._clock())

    def now(self) -> ServiceStatus:
        health = self._routes.health()
        store = Sight(up=not self._store.is_away, since=self._store.changed_at)
        return ServiceStatus(
            components=[
                rules.images(
                    health,
                    database=self._seen_database,
                    store=store,
                    is_full=self._waiting_room.is_full,
                ),
                rules.api(database=self._seen_database, redis=self._seen_redis),
                rules.database(self._seen_database),
            ],
            waiting=self._waiting,
            next_try_at=rules.next_try_at(health),
        )
