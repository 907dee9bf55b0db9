"""Request headers of the contract."""

import re
from typing import Annotated

from fastapi import Header
from pydantic import AfterValidator


def _unquoted(value: str | None) -> str | None:
    """Bare, or quoted as the standard's draft has it: both are the same key."""
    if value is None:
        return None
    bare = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", bare):
        raise ValueError("This must be 1 to 255 visible ASCII characters.")
    return bare


Prefer = Annotated[
    list[str] | None,
    Header(
        description="`wait=N` holds the call for up to N seconds (0 to 90, default 55), `respond-async` for none",
        examples=[["wait=30"]],
    ),
]


IdempotencyKey = Annotated[
    str | None,
    Header(
        description="One value per intended image, the same on every retry; 1 to 255 visible characters, kept 24 h. "
        "`Idempotent-Replayed: true` marks an answer to a repeated one",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
    AfterValidator(_unquoted),
]
