from dataclasses import dataclass

from nanobanana.errors import NanoBananaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Good for one picture and no other, until `ends_at`, in seconds since the epoch."""

    ends_at: int
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A ticket, or what the API would refuse the order with; and how many more attempts are left for now."""

    outcome: Ticket | NanoBananaError
    left: int
