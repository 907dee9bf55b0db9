from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDay:
    """What one key did on one day. Money in micro-dollars, drawn from the balance."""

    day: date
    api_key_id: str
    images: int
    micro_usd: int
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
