"""Brings what waits to the store, as soon as that takes pictures again; in every process and through any kill.

The picture is in the store before its row says so, and its bytes wait until then: whoever goes on where another was
killed puts it there under the same name once more, which changes nothing.
"""

import asyncio

import structlog

from nanobanana.domain.images import waiting_repository as repository
from nanobanana.domain.images.guarded_store import GuardedStore
from nanobanana.domain.images.types import ImageStore, WaitingPicture
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

# So many pictures are in memory, and share the line with those of callers.
_AT_ONCE = 2

log = structlog.get_logger()


class Mover:
    def __init__(self, database: Database, *, store: GuardedStore, leisurely: ImageStore) -> None:
        """`leisurely`: the same store with more patience, since nobody waits here."""
        self._database = database
        self._store = store
        self._leisurely = leisurely

    async def move_waiting(self) -> None:
        """All that waits and that nobody else is at, unless the store goes away again."""
        if self._store.place != "store" or self._store.is_away:
            return
        moved, goes_on = 0, True
        while goes_on and (names := await repository.claim(self._database, limit=_AT_ONCE)):
            found = await repository.look_up(self._database, names)
            done = await asyncio.gather(*(self._move(picture) for picture in found))
            moved += sum(picture is True for picture in done)
            goes_on = None not in done
        if moved:
            log.info("pictures_moved_to_store", pictures=moved)

    async def _move(self, picture: WaitingPicture) -> bool | None:
        """Whether it came to the store; None when the store fails, and is to be left alone for a while."""
        try:
            if picture.is_due and await self._put(picture):
                if await repository.note_moved(self._database, picture.name):
                    return True
                (picture,) = await repository.look_up(self._database, [picture.name])
            await self._tidy(picture)
        except StoreError:
            await repository.release(self._database, picture.name)
            return None
        return False

    async def _put(self, picture: WaitingPicture) -> bool:
        """False when it was deleted a moment ago."""
        data = await repository.get(self._database, picture.name)
        if data:
            await self._leisurely.put(picture.name, data, keep_s=picture.keep_s)
        return data is not None

    async def _tidy(self, picture: WaitingPicture) -> None:
        """Of a picture that is not to be moved nothing is left behind; of one that is being settled, all."""
        if picture.place == "store":
            await repository.forget(self._database, picture.name)
        elif picture.is_dead:
            # From here on nobody brings it to the store.
            await repository.empty(self._database, [picture.name])
            await self._store.delete([picture.name])
            await repository.forget(self._database, picture.name)
