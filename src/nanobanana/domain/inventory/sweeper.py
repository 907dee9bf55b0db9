"""Once a week: reports rows without files and files without rows, and deletes those of the latter that are old."""

import time
from collections import Counter
from typing import get_args

import structlog

from nanobanana.domain.inventory.service import Inventory
from nanobanana.domain.inventory.types import Counts, FileFinding, Finding, ListedStore, RowFinding
from nanobanana.metrics import PICTURES_ASTRAY
from nanobanana.storage.database import Database

# By the time in their names. What is younger may be of an image that is still being made.
_OLD_MS = 86_400_000
_LINES_OF_A_KIND = 20
# Kept in mind until the end of a sweep; the next one finds the rest.
_UNKNOWN_AT_MOST = 10_000

log = structlog.get_logger()


class Sweeper:
    """Deleting is all it changes, and what it deletes nobody can name any more: killed anywhere, it has done a part."""

    def __init__(self, database: Database, *, store: ListedStore) -> None:
        self._inventory = Inventory(database, store=store)
        self._store = store

    async def sweep(self) -> None:
        counts, unknown, deleted = Counts(), list[str](), 0
        logged = Counter[str]()
        async for findings in self._inventory.compare(counts):
            _log(findings, logged)
            old = [finding for finding in findings if finding.is_file and _is_old(finding)]
            # A row that has ended never takes another file, so these may go at once.
            deleted += await self._delete([finding.name for finding in old if finding.kind == "row_ended"])
            unknown += [finding.name for finding in old if finding.kind == "row_unknown"]
            del unknown[_UNKNOWN_AT_MOST:]
        if _is_of_this_database(counts):
            deleted += await self._delete(unknown)
        elif unknown:
            log.error("pictures_of_another_database", files=counts.findings["row_unknown"])
        _report(counts, deleted)

    async def _delete(self, names: list[str]) -> int:
        await self._store.delete(names)
        return len(names)


def _is_old(finding: Finding) -> bool:
    return time.time() * 1000 - finding.milliseconds > _OLD_MS


def _is_of_this_database(counts: Counts) -> bool:
    """Rows stay for good, so that hardly a file is without any: a store full of such belongs to another database, or
    this one was brought back from an old backup."""
    return counts.findings["row_unknown"] * 2 <= counts.files


def _log(findings: list[Finding], logged: Counter[str]) -> None:
    """A bounded number of lines. Where there is a row it says enough: names are what keeps pictures from strangers."""
    for finding in findings:
        logged[finding.kind] += 1
        if logged[finding.kind] <= _LINES_OF_A_KIND:
            log.warning(
                "picture_astray",
                finding=finding.kind,
                generation_id=finding.generation_id,
                file=None if finding.generation_id else finding.name,
                detail=finding.detail,
            )


def _report(counts: Counts, deleted: int) -> None:
    files = sum(counts.findings[kind] for kind in get_args(FileFinding))
    rows = sum(counts.findings[kind] for kind in get_args(RowFinding))
    PICTURES_ASTRAY.labels("files_without_rows").set(files)
    PICTURES_ASTRAY.labels("rows_without_files").set(rows)
    log.info(
        "pictures_swept",
        rows=counts.rows,
        files=counts.files,
        foreign=counts.foreign,
        rows_without_files=rows,
        files_without_rows=files,
        deleted=deleted,
    )
