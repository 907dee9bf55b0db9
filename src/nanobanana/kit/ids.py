"""Ids that sort by the moment they were made and cannot be guessed."""

import secrets
import time
from datetime import UTC, datetime, timedelta

from nanobanana.kit import base62

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str) -> str:
    """`gen_` + 22 base62 characters: 48 bits of milliseconds, then 80 random bits."""
    return _id(prefix, time.time_ns() // 1_000_000, secrets.randbits(80))


def first_id(prefix: str, moment: datetime) -> str:
    """The smallest id of a moment: what was made from then on sorts behind it. Before 1970 there are none."""
    return first_id_of(prefix, max(0, (moment - _EPOCH) // timedelta(milliseconds=1)))


def milliseconds_of(id: str) -> int:
    """When an id was made, in milliseconds since the epoch."""
    return base62.decode(id.partition("_")[2]) >> 80


def first_id_of(prefix: str, milliseconds: int) -> str:
    """As `first_id`, of milliseconds since the epoch."""
    return _id(prefix, milliseconds, 0)


def _id(prefix: str, milliseconds: int, chance: int) -> str:
    return f"{prefix}_{base62.encode(milliseconds << 80 | chance, 22)}"
