from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict


class UsageDay(TypedDict):
    """What one key did on one day. A year of ten keys has thousands: so they stay the rows that they are."""

    day: date
    api_key_id: str
    images: int
    # Drawn from the balance.
    amount_usd: float
    failed: int
    blocked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMonth:
    """A key's images of the present month, those being made included, beside its own cap."""

    api_key_id: str
    name: str
    images: int
    cap: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the account stands in the present month. `in_progress` images are held and not yet among `images`."""

    plan: str
    images: int
    in_progress: int
    quota: int | None
    resets_at: datetime
    is_paid_by_image: bool
    spent_micro_usd: int
    held_micro_usd: int
    spending_cap_micro_usd: int | None
    balance_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    days: Sequence[UsageDay]
    standing: Standing
    keys: Sequence[KeyMonth]
