from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHour:
    """What a key did in one hour, beside what is usual for it."""

    api_key_id: str
    hour: datetime
    images: int
    # Of the week before, those in which the key was used at all, and their mean.
    earlier_hours: int
    usual_images: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge(KeyHour):
    """With what its owner is told."""

    key_name: str
    last4: str
    email: str
