from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

# As with the plan's images, of which a mail tells then.
_NEAR_PERCENT = 80


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

    @property
    def left(self) -> int | None:
        return None if self.cap is None else max(0, self.cap - self.images)

    @property
    def is_near_cap(self) -> bool:
        return self.cap is not None and self.images * 100 >= self.cap * _NEAR_PERCENT


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

    @property
    def images_left(self) -> int | None:
        return None if self.quota is None else max(0, self.quota - self.images - self.in_progress)

    @property
    def micro_usd_left(self) -> int:
        """What balance and cap allow this month."""
        free = self.balance_micro_usd - self.held_micro_usd
        cap = self.spending_cap_micro_usd
        if cap is None:
            return free
        return max(0, min(free, cap - self.spent_micro_usd - self.held_micro_usd))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    days: Sequence[UsageDay]
    standing: Standing
    keys: Sequence[KeyMonth]
