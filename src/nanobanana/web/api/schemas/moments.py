"""Moments as callers write them."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")


def begin_of(text: str) -> str:
    """Of a day its beginning, in UTC; any other text as it is."""
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def _written_as_a_moment(value: object) -> object:
    """A day is its beginning. Not the seconds since 1970 that pydantic would take too."""
    if not isinstance(value, str):
        return value
    moment = begin_of(value)
    if not _MOMENT.fullmatch(moment):
        raise ValueError("This must be a day or a moment with its zone, as in '2027-01-31T08:00:00Z'.")
    return moment


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as_a_moment),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    ),
]
