from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two records of one thing that do not agree: what is `recorded`, and what its movements say to be `expected`."""

    check: str
    subject: str
    period: str
    recorded: str
    expected: str
