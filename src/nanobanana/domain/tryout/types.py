from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Good for one picture and no other, until `ends_at`, in seconds since the epoch."""

    ends_at: int
    signature: str
