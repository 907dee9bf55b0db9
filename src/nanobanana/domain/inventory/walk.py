"""Goes through all rows and all files of stores together, day by day and moment by moment."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date

from nanobanana.domain.inventory import repository
from nanobanana.domain.inventory.moments import Moments, earliest
from nanobanana.domain.inventory.rules import read_day, read_file
from nanobanana.domain.inventory.types import File, ListedStore, Row
from nanobanana.storage.database import Database


@dataclass(frozen=True, slots=True)
class Moment:
    """All of one millisecond; `files` of each store."""

    milliseconds: int
    rows: list[Row]
    files: tuple[list[File], ...]

    def sizes(self, store: int = 0) -> dict[str, int]:
        return {file.name: file.size for file in self.files[store]}


@dataclass(slots=True)
class Walk:
    database: Database
    stores: Sequence[ListedStore]
    # By names that were never ours.
    foreign: int = 0

    async def batches(self, size: int) -> AsyncIterator[list[Moment]]:
        batch: list[Moment] = []
        async for day in self._days():
            async for moment in self._moments(day):
                batch.append(moment)
                if len(batch) == size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def _days(self) -> AsyncIterator[date]:
        listed = [read_day(text) for store in self.stores for text in await store.days()]
        with_files = sorted({day for day in listed if day})
        day: date | None = None
        while True:
            coming = [await repository.next_day(self.database, day)]
            coming += [found for found in with_files if day is None or found > day][:1]
            if not any(coming):
                return
            day = min(found for found in coming if found)
            yield day

    async def _moments(self, day: date) -> AsyncIterator[Moment]:
        rows = Moments(repository.rows_of_day(self.database, day))
        listings = [Moments(self._files(store, day)) for store in self.stores]
        while (
            moment := earliest([await rows.next(), *[await files.next() for files in listings]])
        ) is not None:
            yield Moment(
                moment, await rows.take(moment), tuple([await files.take(moment) for files in listings])
            )

    async def _files(self, store: ListedStore, day: date) -> AsyncIterator[File]:
        async for name, size in store.listed(f"{day:%Y/%m/%d}"):
            if file := read_file(name, size):
                yield file
            else:
                self.foreign += 1
