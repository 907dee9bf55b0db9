"""Moments as callers write them."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")


def _written_as_a_moment(value: object) -> object:
    """A day is its beginning. Not the seconds since 1970 that pydantic would take too."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return f"{value}T00:00:00Z"
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise ValueError("This must be a day or a moment with its zone, as in '2027-01-31T08:00:00Z'.")
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as_a_moment),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    ),
]
