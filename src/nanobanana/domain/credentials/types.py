from dataclasses import dataclass
from typing import Literal

Purpose = Literal["reset_password", "confirm_email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an account is logged in to with."""

    account_id: str
    email: str
    password_hash: str
