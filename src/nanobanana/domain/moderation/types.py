from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """Of an account that is suspended: for that many refusals on that day, or for an operator's reason, if one was
    given."""

    email: str
    refusals: int | None
    day: date | None
    reason: str | None
