from dataclasses import dataclass
from typing import Literal

from nanobanana.integrations.google.types import GoogleImage

# open: failing, asked again after its cool-down. half-open: one request asks it now, for all. out: the account or its
# key is the trouble; an operator brings it back, or the probe of the next day.
State = Literal["operational", "open", "half-open", "out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What is known of one model by one route. Times are seconds since the epoch, because machines share them."""

    state: State = "operational"
    reason: str = ""
    # When it became operational, or ceased to be; 0: it has never been otherwise.
    since: float = 0.0
    # Nobody asks before; of half-open: when the probe counts as lost, unless its lease is renewed.
    until: float = 0.0
    # Also what this state is known by: each is later than the one it was made from.
    changed_at: float = 0.0
    # In a row, while operational.
    failures: int = 0
    # In a row: how far the cool-down has grown.
    openings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHealth:
    """How a model stands by a route. `since` None: operational ever since anybody remembers."""

    route: str
    model: str
    state: State
    reason: str
    since: float | None
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A picture, and how often Google may have made, and charged, another one before it that never came."""

    image: GoogleImage
    lost_attempts: int
