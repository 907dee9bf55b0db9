from dataclasses import dataclass

from nanobanana.domain.accounts.types import NewAccount
from nanobanana.domain.sessions.types import NewSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Somebody who wants an account and has not shown yet that the address is theirs."""

    id: str
    email: str
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a right code or link brings, or where there is no mail registering alone, shown this once."""

    new: NewAccount
    session: NewSession
