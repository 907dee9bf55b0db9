from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Condition = Literal["operational", "degraded", "down"]
Part = Literal["images", "api", "database"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Whether something answers, and since when it does, or does not: seconds since the epoch; None: it has always been
    so, as far as this process knows."""

    up: bool = True
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """How a part of the service stands, and since when: None for as long as anybody remembers."""

    name: Part
    condition: Condition
    since: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """`waiting`: orders in the queue; None when nobody knows. `next_try_at`: from then on the next order asks a model
    that is shut; None when none is, or one is being asked."""

    components: Sequence[Component]
    waiting: int | None
    next_try_at: float | None

    @property
    def condition(self) -> Condition:
        """The service is as well as the worst of its parts."""
        found = {component.condition for component in self.components}
        return next(condition for condition in ("down", "degraded", "operational") if condition in found)
