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
        # Another account's state must not stick to a route whose key was replaced.
        self.field = f"{route.name}:{route.identity}:{model}"

    def is_usable(self, now: float) -> bool:
        breaker = self.breaker
        return (
            breaker.state == "operational" or now >= breaker.until
        ) and self.route.calls < self.route.calls_at_once


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
        self.calls = 0
        self.budget = RetryBudget()
        self.targets = {model: Target(self, model, each) for model, each in images.items()}


def identity_of(credential: str, *, secret: str) -> str:
    return hmac.digest(secret.encode(), credential.encode(), sha256)[:6].hex()
