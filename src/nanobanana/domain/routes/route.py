"""A route: one account at Google, asked for each model in its own right."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from nanobanana.domain.routes.rules import RetryBudget
from nanobanana.domain.routes.types import Breaker
from nanobanana.integrations.google.client import GoogleImages


class Target:
    """One model by one route, and what this process knows of it."""

    def __init__(self, route: "Route", model: str, images: GoogleImages) -> None:
        self.route = route
        self.model = model
        self.images = images
        self.breaker = Breaker()
        # When that changed which the processes shared when this one last heard of it.
        self.heard_at = 0.0
        self.calls = 0
        # Slow start: how many calls at once since it was reopened.
        self.bound = route.calls_at_once
        # Another account's state must not stick to a route whose key was replaced.
        self.field = f"{route.name}:{route.identity}:{model}"

    @property
    def is_starting(self) -> bool:
        return self.bound < self.route.calls_at_once

    def become(self, breaker: Breaker) -> None:
        """All that waited meanwhile is not to meet a model at once that has answered a single time."""
        if breaker.state == "operational" and self.breaker.state != "operational":
            self.bound = 1
        self.breaker = breaker

    def grow(self) -> None:
        """After a success."""
        self.bound = min(2 * self.bound, self.route.calls_at_once)

    def shrink(self) -> None:
        """After a failure while it starts. Nothing is shut for one: of what waited, some may fail at any time."""
        if self.is_starting:
            self.bound = max(1, self.bound // 2)

    def room(self, now: float) -> int:
        """How many more calls could begin now, as far as this model is concerned; of one that is shut, the probe."""
        if self.breaker.state == "operational":
            return max(0, self.bound - self.calls)
        return int(now >= self.breaker.until)

    def is_usable(self, now: float) -> bool:
        return self.room(now) > 0 and self.route.room(now) > 0


class Route:
    def __init__(
        self,
        name: str,
        images: Mapping[str, GoogleImages],
        *,
        identity: str,
        calls_at_once: int,
        breaks: bool = True,
    ) -> None:
        """`images` by model; `identity` tells accounts apart without telling their keys. A route that does not break
        is asked whatever it answers."""
        self.name = name
        self.identity = identity
        self.calls_at_once = calls_at_once
        self.breaks = breaks
        self.budget = RetryBudget()
        self.targets = {model: Target(self, model, each) for model, each in images.items()}

    def room(self, now: float) -> int:
        """How many more calls could begin now, by whatever model."""
        targets = self.targets.values()
        left = self.calls_at_once - sum(target.calls for target in targets)
        return max(0, min(left, sum(target.room(now) for target in targets)))


def identity_of(credential: str, *, secret: str) -> str:
    return hmac.digest(secret.encode(), credential.encode(), sha256)[:6].hex()
