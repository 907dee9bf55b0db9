"""Copies every living picture from one store to another, through any kill.

What the target has with the right size is taken as copied: both stores keep a picture whole or not at all. The source
stays as it is, so that a move can be run any number of times, also after the service uses the target. Until it does,
deletions do not reach the target: what they have left there goes when the move is run again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.names import parsed, thumbnail
from nanobanana.domain.images.rules import decode
from nanobanana.domain.inventory import repository
from nanobanana.domain.inventory.rules import files_astray
from nanobanana.domain.inventory.types import Failure, ListedStore, Moved, Row
from nanobanana.domain.inventory.walk import Moment, Walk
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

# Pictures in memory, twice each while they are compared.
_AT_ONCE = 8
_BATCH = 200
_ERRORS_IN_A_ROW = 20


class NotCopiedError(Exception):
    """The message is the reason, for the operator."""


class Move:
    def __init__(
        self, database: Database, *, source: ListedStore, target: ListedStore, recheck: bool = False
    ) -> None:
        """`recheck` also reads what the target has already, and copies anew what is no whole picture there."""
        self._database = database
        self._source = source
        self._target = target
        self._recheck = recheck
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._errors_in_a_row = 0

    async def size(self) -> tuple[int, int]:
        """How many pictures live in the store, and their bytes."""
        return await repository.pictures_in_store(self._database)

    async def run(self, moved: Moved) -> AsyncIterator[list[Failure]]:
        """What could not be copied, a batch at a time; `moved` goes along. Raises StoreError when a store fails again and
        again."""
        async for batch in Walk(self._database, [self._source, self._target]).batches(_BATCH):
            pictures = [(row, moment) for moment in batch for row in moment.rows if row.in_store]
            failures = await asyncio.gather(*(self._move(row, moment, moved) for row, moment in pictures))
            yield [failure for failure in failures if failure]
            await self._delete_ended(batch, moved)
            if self._gives_up:
                raise StoreError("the stores fail again and again")

    @property
    def _gives_up(self) -> bool:
        return self._errors_in_a_row >= _ERRORS_IN_A_ROW

    async def _delete_ended(self, batch: list[Moment], moved: Moved) -> None:
        """Everybody who has an old link could fetch them. A row that has ended without a picture never gets another."""
        ended = [
            finding.name
            for moment in batch
            for finding in files_astray(moment.rows, moment.sizes(1))
            if finding.kind == "row_ended"
        ]
        await self._target.delete(ended)
        moved.removed += len(ended)

    async def _move(self, row: Row, moment: Moment, moved: Moved) -> Failure | None:
        async with self._places:
            if self._gives_up:
                return None
            try:
                size = await self._copy_picture(row, moment)
            except (NotCopiedError, StoreError) as error:
                self._errors_in_a_row = self._errors_in_a_row + 1 if isinstance(error, StoreError) else 0
                return await self._failure(row, error, moved)
        self._errors_in_a_row = 0
        moved.pictures += 1
        moved.bytes += size
        if size:
            moved.copied += 1
        else:
            moved.there_before += 1
        return None

    async def _failure(self, row: Row, error: Exception, moved: Moved) -> Failure | None:
        """None for a picture that nobody is to have any more."""
        moved.pictures += 1
        if not await self._lives(row):
            moved.gone += 1
            return None
        moved.failed += 1
        return Failure(row.file_name or row.image_name, str(error))

    async def _lives(self, row: Row) -> bool:
        now = await repository.rows_of_moment(self._database, row.milliseconds)
        return any(same.id == row.id and same.in_store for same in now)

    async def _copy_picture(self, row: Row, moment: Moment) -> int:
        """With its thumbnail, if there is one; gives the bytes that had to be copied."""
        name, small = row.file_name or "", thumbnail(row.image_name)
        if not parsed(name):
            raise NotCopiedError("has a name that nobody serves")
        here, there = moment.sizes(0), moment.sizes(1)
        copied = 0
        if (size := here.get(small)) is not None:
            copied += await self._copy(small, size, there.get(small), row.keep_s)
        copied += await self._copy(name, row.image_bytes or 0, there.get(name), row.keep_s)
        # Who deletes changes the row before the files: one of the two sees the other.
        if copied and not await self._lives(row):
            await self._target.delete([name, small])
            raise NotCopiedError("was deleted meanwhile")
        return copied

    async def _copy(self, name: str, size: int, there: int | None, keep_s: int | None) -> int:
        if there == size and not (self._recheck and await self._is_worse(name)):
            return 0
        data = await self._source.get(name)
        if data is None:
            raise NotCopiedError("is not in the store")
        if len(data) != size:
            raise NotCopiedError(f"has {len(data)} bytes in the store instead of {size}")
        if there is not None:
            await self._target.delete([name])
        await self._target.put(name, data, keep_s=keep_s)
        if _checksum(await self._target.get(name)) != _checksum(data):
            await self._target.delete([name])
            raise NotCopiedError("was not the same when it was read back")
        return size

    async def _is_worse(self, name: str) -> bool:
        """Whether the target's is no whole picture and the source's is one. What came after the switch is in the target
        alone."""
        source, target = await self._source.get(name), await self._target.get(name)
        if source is None or source == target:
            return False
        source_is_whole, target_is_whole = [
            await asyncio.to_thread(_is_whole, data) for data in (source, target)
        ]
        if source_is_whole == target_is_whole:
            whole = "both are whole pictures" if source_is_whole else "neither is a whole picture"
            raise NotCopiedError(f"differs from what is there, and {whole}: it was left as it is")
        return source_is_whole


def _is_whole(data: bytes | None) -> bool:
    try:
        return data is not None and bool(decode(data))
    except UnusablePictureError:
        return False


def _checksum(data: bytes | None) -> bytes | None:
    return None if data is None else hashlib.sha256(data).digest()
