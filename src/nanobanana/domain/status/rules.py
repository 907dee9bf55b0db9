"""What the public is told, of what the processes know. Moments of routes are those that all processes share."""

from collections.abc import Sequence
from dataclasses import replace

from nanobanana.domain.routes.types import RouteHealth
from nanobanana.domain.status.types import Component, Condition, Part, Sight


def seen(before: Sight, *, up: bool, now: float) -> Sight:
    return before if before.up == up else Sight(up=up, since=now)


def database(sight: Sight) -> Component:
    return Component(name="database", condition="operational" if sight.up else "down", since=sight.since)


def api(*, database: Sight, redis: Sight) -> Component:
    """Without Redis limits are stricter and less exact."""
    if not database.up:
        return _component("api", "down", database.since)
    if not redis.up:
        return _component("api", "degraded", redis.since)
    return _component("api", "operational", _last(database.since, redis.since))


def images(health: Sequence[RouteHealth], *, database: Sight, store: Sight, is_full: bool) -> Component:
    """Without the store pictures come in the answers themselves, until as many wait for it as may: `is_full`."""
    by_models = _by_models(health)
    if not database.up:
        since = [database.since or 0.0]
        if by_models.condition == "down" and by_models.since:
            since.append(by_models.since)
        return replace(by_models, condition="down", since=min(since) or None)
    if by_models.condition == "down":
        return by_models
    if is_full:
        return _component("images", "down", store.since)
    if by_models.condition == "degraded":
        return by_models
    if not store.up:
        return _component("images", "degraded", store.since)
    return _component("images", "operational", _last(by_models.since, store.since))


def next_try_at(health: Sequence[RouteHealth]) -> float | None:
    """None when nothing is shut, or something shut is being tried."""
    shut = [each for each in health if each.state != "operational"]
    if any(each.state == "half-open" for each in shut):
        return None
    return min((each.until for each in shut if each.until is not None), default=None)


def _by_models(health: Sequence[RouteHealth]) -> Component:
    """Of each model by each route: one that is not operational is shut."""
    serving = [each.since or 0.0 for each in health if each.state == "operational"]
    shut = [each.since or 0.0 for each in health if each.state != "operational"]
    if not serving:
        return _component("images", "down", max(shut))  # when the last one went
    if not shut:
        return _component("images", "operational", max(serving))
    # The one that has served longest may have come back after the others went: until then nothing served.
    return _component("images", "degraded", max(min(shut), min(serving)))


def _component(name: Part, condition: Condition, since: float | None) -> Component:
    return Component(name=name, condition=condition, since=since or None)


def _last(*moments: float | None) -> float | None:
    return max((moment for moment in moments if moment is not None), default=None)
