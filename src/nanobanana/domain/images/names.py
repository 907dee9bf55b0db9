"""What pictures are called: `2026/11/28/` and 30 base62 characters, of which 22 are random and cannot be guessed.

The first eight are the milliseconds at which the generation was ordered, as its id has them too: names sort by time, a
store can be gone through day by day, and the row of a name is found by the index of ids. A further attempt at the same
picture has its number behind a hyphen; the file has the ending of its format, and a thumbnail beside it ends in `_512.webp`.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from nanobanana.kit import base62
from nanobanana.kit.ids import milliseconds_of

_RANDOM_BITS, _RANDOM_WIDTH, _TIME_WIDTH = 128, 22, 8
_EPOCH, _DAY_MS = date(1970, 1, 1), 86_400_000
_FILE = re.compile(
    r"(?P<name>(?P<first>\d{4}/\d\d/\d\d/(?P<time>[0-9A-Za-z]{8})[0-9A-Za-z]{22})(-[1-9]\d{0,8})?)"
    r"(?P<ending>\.(png|jpg|webp)|_512\.webp)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """A file's name, read. `name` is what its row has, `first` what the names of all attempts begin with."""

    name: str
    first: str
    is_thumbnail: bool
    milliseconds: int


def new_name(generation_id: str) -> str:
    milliseconds = milliseconds_of(generation_id)
    chance = base62.encode(secrets.randbits(_RANDOM_BITS), _RANDOM_WIDTH)
    return f"{_folder(milliseconds // _DAY_MS)}/{base62.encode(milliseconds, _TIME_WIDTH)}{chance}"


@lru_cache(maxsize=8)
def _folder(day: int) -> str:
    """Of a day since the epoch. Nearly all names are of today: writing its date anew would be a third of making one."""
    return f"{_EPOCH + timedelta(days=day):%Y/%m/%d}"


def first_name(name: str) -> str:
    """That of the first attempt, with which the names of all begin."""
    return name.partition("-")[0]


def thumbnail(name: str) -> str:
    return f"{name}_512.webp"


def parsed(file_name: str) -> FileName | None:
    """None for what we never named so."""
    if found := _FILE.fullmatch(file_name):
        return FileName(
            name=found["name"],
            first=found["first"],
            is_thumbnail=found["ending"].startswith("_"),
            milliseconds=base62.decode(found["time"]),
        )
    return None
