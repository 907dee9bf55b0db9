from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two records of the same thing that do not agree: `record` says what `of` gives, and the ledger what it sums to."""

    check: str
    subject: str
    period: str
    recorded: str
    expected: str
