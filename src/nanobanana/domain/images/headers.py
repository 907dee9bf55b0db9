"""What is told of a picture to whoever fetches it, from a folder of ours or straight from a bucket."""

from datetime import UTC, datetime
from email.utils import format_datetime

from nanobanana.domain.images.names import FileName, parsed
from nanobanana.domain.images.types import MEDIA_TYPES

# A name never gets another picture, but what is deleted must be gone from caches within a day (decision 6).
LONGEST_S = 86_400
# A bucket says the same each time: so long after its end a picture may be in a cache.
_LONGEST_WITH_AN_END_S = 3_600


def of_stored(name: str, keep_s: int | None) -> dict[str, str]:
    """For an object that is kept so long; None: for good."""
    longest_s = LONGEST_S if keep_s is None else min(_LONGEST_WITH_AN_END_S, keep_s)
    return _headers(name, _parsed(name), longest_s=longest_s)


def of_served(name: str, *, left_s: float | None) -> dict[str, str]:
    """For a picture that has so many seconds left; None: nobody knows of an end."""
    found = _parsed(name)
    longest_s = LONGEST_S if left_s is None else min(LONGEST_S, int(left_s))
    modified = format_datetime(_ordered_at(found), usegmt=True)
    return {**_headers(name, found, longest_s=longest_s), "Last-Modified": modified}


def _headers(name: str, found: FileName, *, longest_s: int) -> dict[str, str]:
    ending = name.rpartition(".")[2]
    shown = f"nanobanana-{_ordered_at(found):%Y-%m-%d-%H%M%S}{'-512' if found.is_thumbnail else ''}.{ending}"
    return {
        "Content-Type": MEDIA_TYPES[ending],
        "Content-Disposition": f'inline; filename="{shown}"',
        "Cache-Control": f"public, max-age={longest_s}, immutable",
    }


def _ordered_at(found: FileName) -> datetime:
    return datetime.fromtimestamp(found.milliseconds // 1000, UTC)


def _parsed(name: str) -> FileName:
    if found := parsed(name):
        return found
    raise ValueError(f"{name!r} is no name of ours")
