"""Which rows and files belong together. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from nanobanana.domain.images.names import FileName, first_name, parsed, thumbnail
from nanobanana.domain.inventory.types import File, Finding, Row, RowFinding

_DAY_MS = 86_400_000
# What a folder's writer calls a file until it is whole.
_UNFINISHED = re.compile(r"#\d+$")


def day_of(milliseconds: int) -> date:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def first_millisecond(day: date) -> int:
    return (day - date(1970, 1, 1)) // timedelta(days=1) * _DAY_MS


def read_day(text: str) -> date | None:
    """None for a folder that only looks like a day."""
    try:
        return datetime.strptime(text, "%Y/%m/%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def read_file(name: str, size: int) -> File | None:
    """None for what we never named so."""
    found = _parsed(name)
    if found is None or f"{day_of(found.milliseconds):%Y/%m/%d}" != name[:10]:
        return None
    return File(name=name, milliseconds=found.milliseconds, size=size)


def rows_astray(rows: Iterable[Row], sizes: Mapping[str, int]) -> list[Finding]:
    """Living rows whose picture is not where they say, or not as large."""
    return [finding for row in rows if row.living and (finding := _astray(row, sizes))]


def files_astray(rows: Iterable[Row], sizes: Mapping[str, int]) -> list[Finding]:
    """Files, by their sizes, that belong to none of the rows of their moment."""
    owners = {first_name(row.image_name): row for row in rows}
    found = []
    for name, size in sizes.items():
        if (file := _parsed(name)) and not ((owner := owners.get(file.first)) and belongs(name, owner)):
            found.append(
                Finding(
                    kind="row_ended" if owner else "row_unknown",
                    name=name,
                    generation_id=owner.id if owner else None,
                    milliseconds=file.milliseconds,
                    detail=f"{size} bytes",
                )
            )
    return found


def belongs(name: str, row: Row) -> bool:
    """Whether a file is a row's, so that nobody may take it."""
    # Whoever takes it over next may want what an earlier attempt has left.
    if not row.ended:
        return True
    # One that has expired is the purge's, which deletes the file before the row stops naming a place.
    return row.image_place is not None and name in {row.file_name, thumbnail(row.image_name)}


def row_finding(row: Row, kind: RowFinding, detail: str) -> Finding:
    return Finding(
        kind=kind,
        name=row.file_name or row.image_name,
        generation_id=row.id,
        milliseconds=row.milliseconds,
        detail=detail,
    )


def _parsed(name: str) -> FileName | None:
    """Also of what a killed writer has left, which belongs to no row that has ended."""
    return parsed(_UNFINISHED.sub("", name))


def _astray(row: Row, sizes: Mapping[str, int]) -> Finding | None:
    if row.image_place == "waiting" and row.waiting_bytes != row.image_bytes:
        return row_finding(row, "waiting_bytes_missing", _sizes(row, row.waiting_bytes))
    if row.image_place == "store" and (size := sizes.get(row.file_name or "")) != row.image_bytes:
        return row_finding(row, "file_missing" if size is None else "wrong_size", _sizes(row, size))
    return None


def _sizes(row: Row, there: int | None) -> str:
    return f"{row.image_bytes} bytes by the row, {there or 'none'} there"
