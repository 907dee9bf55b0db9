from dataclasses import dataclass
from typing import Literal, TypedDict

Purpose = Literal["reset_password", "confirm_email"]


class AccountChanges(TypedDict, total=False):
    """What an owner changes about the account; what is left out stays."""

    password: str
    email: str
    # None takes the cap away.
    spending_cap_micro_usd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an account is logged in to with."""

    account_id: str
    email: str
    password_hash: str
