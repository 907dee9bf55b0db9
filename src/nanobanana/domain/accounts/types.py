from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nanobanana.domain.api_keys.types import IssuedKey

# Of the calendar, in UTC.
Period = Literal["day", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`balance_micro_usd`, what is held of it included, is None for who has none and pays no image with it."""

    id: str
    email: str
    email_verified_at: datetime | None
    created_at: datetime
    plan: str
    spending_cap_micro_usd: int | None
    balance_micro_usd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a password is held against."""

    account_id: str
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """A new account with its first keys, whose texts are shown this once."""

    account: Account
    live_key: IssuedKey
    test_key: IssuedKey
