from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A row of the ledger as its owner sees it. What is held is not spent yet: a hold adds to it, and what ends takes
    it away again."""

    id: int
    kind: Literal["credit", "hold", "capture", "release"]
    created_at: datetime
    # None: a credit.
    generation_id: str | None
    key_name: str | None
    images: int
    held_images: int
    # What the balance gains, so a captured image's is negative.
    micro_usd: int
    held_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledMonth:
    """What was captured of a month's images, and what that drew from the balance."""

    month: date
    images: int
    micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """All that was ever credited, less all that was ever spent; a part of it may be held."""

    micro_usd: int
    held_micro_usd: int
    spent_micro_usd: int

    @property
    def credited_micro_usd(self) -> int:
        return self.micro_usd + self.spent_micro_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two records of one thing that do not agree: what is `recorded`, and what its movements say to be `expected`."""

    check: str
    subject: str
    period: str
    recorded: str
    expected: str
