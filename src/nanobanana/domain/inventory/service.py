"""Holds rows and files against each other."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Iterable

from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.rules import decode
from nanobanana.domain.inventory import repository
from nanobanana.domain.inventory.rules import files_astray, row_finding, rows_astray
from nanobanana.domain.inventory.types import Counts, Finding, ListedStore, Row
from nanobanana.domain.inventory.walk import Moment, Walk
from nanobanana.storage.database import Database

_BATCH = 500
_LOOKS_AT_ONCE = 16


class Inventory:
    def __init__(self, database: Database, *, store: ListedStore) -> None:
        self._database = database
        self._store = store
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        # A picture takes tens of megabytes while it is decoded.
        self._readings = asyncio.Semaphore(os.cpu_count() or 1)

    async def row_count(self) -> int:
        return await repository.row_count(self._database)

    async def compare(self, counts: Counts, *, read: bool = False) -> AsyncIterator[list[Finding]]:
        """What does not belong together, a batch at a time; `counts` goes along, `read` decodes every picture. Raises
        StoreError."""
        walk = Walk(self._database, [self._store])
        async for batch in walk.batches(_BATCH):
            findings = await _together(self._look_again(moment) for moment in batch if _suspicious(moment))
            if read:
                wrong = {finding.generation_id for finding in findings}
                findings += await _together(
                    self._unreadable(row, counts)
                    for moment in batch
                    for row in moment.rows
                    if row.in_store and row.id not in wrong
                )
            _count(counts, batch, findings)
            counts.foreign = walk.foreign
            yield findings

    async def _look_again(self, moment: Moment) -> list[Finding]:
        """The listing is older than the rows or younger: a finding is what is so still, of rows that have not changed
        meanwhile, and of files that were there before the rows were read. This also finds pictures of old, which lie in
        no day's folder."""
        async with self._looks:
            names = {*moment.sizes(), *(name for row in moment.rows if (name := row.file_name))}
            found = {name: await self._store.size(name) for name in sorted(names)}
            rows = await repository.rows_of_moment(self._database, moment.milliseconds)
        sizes = {name: size for name, size in found.items() if size is not None}
        before = {(row.id, row.image_place, row.living) for row in moment.rows}
        same = [row for row in rows if (row.id, row.image_place, row.living) in before]
        return rows_astray(same, sizes) + files_astray(rows, sizes)

    async def _unreadable(self, row: Row, counts: Counts) -> list[Finding]:
        async with self._readings:
            data = await self._store.get(row.file_name or "")
            if data is None:  # deleted or expired since
                return []
            counts.read += 1
            try:
                picture = await asyncio.to_thread(decode, data)
            except UnusablePictureError as error:
                return [row_finding(row, "unreadable", str(error))]
        if picture.format != row.image_format:
            return [
                row_finding(
                    row, "unreadable", f"{row.image_format} by the row, {picture.format} by its bytes"
                )
            ]
        return []


def _suspicious(moment: Moment) -> bool:
    sizes = moment.sizes()
    return bool(rows_astray(moment.rows, sizes) or files_astray(moment.rows, sizes))


def _count(counts: Counts, batch: list[Moment], findings: list[Finding]) -> None:
    for moment in batch:
        counts.rows += len(moment.rows)
        counts.pictures += sum(row.in_store for row in moment.rows)
        counts.waiting += sum(row.living and row.image_place == "waiting" for row in moment.rows)
        sizes = moment.sizes()
        counts.files += len(sizes)
        counts.bytes += sum(sizes.values())
    counts.findings.update(finding.kind for finding in findings)


async def _together(looks: Iterable[Awaitable[list[Finding]]]) -> list[Finding]:
    return [finding for found in await asyncio.gather(*looks) for finding in found]
