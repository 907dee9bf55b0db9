"""What follows for the public from breakers, database and Redis."""

import pytest

from nanobanana.domain.routes.types import RouteHealth, State
from nanobanana.domain.status import rules
from nanobanana.domain.status.types import Sight

UP, AWAY = Sight(), Sight(up=False, since=50.0)


def target(state: State, since: float | None = None, until: float | None = None) -> RouteHealth:
    return RouteHealth(route="primary", model="m", state=state, reason="", since=since, until=until)


@pytest.mark.parametrize(
    ("health", "condition", "since"),
    [
        ([target("operational"), target("operational")], "operational", None),
        ([target("operational", 10), target("operational", 20)], "operational", 20),
        ([target("open", 10), target("operational")], "degraded", 10),
        ([target("out", 10), target("operational", 5)], "degraded", 10),
        # Until 20 nothing served.
        ([target("out", 10), target("operational", 20)], "degraded", 20),
        ([target("half-open", 10), target("operational")], "degraded", 10),
        ([target("open", 10), target("out", 20)], "down", 20),
        ([target("half-open", 10)], "down", 10),
    ],
)
def test_images_are_as_well_as_the_models_that_serve(
    health: list[RouteHealth], condition: str, since: float | None
) -> None:
    images = rules.images(health, database=UP, store=UP, is_full=False)

    assert (images.condition, images.since) == (condition, since)


@pytest.mark.parametrize(
    ("health", "since"),
    [([target("operational", 10)], 50), ([target("open", 10)], 10), ([target("open", 60)], 50)],
)
def test_without_a_database_there_are_no_images(health: list[RouteHealth], since: float) -> None:
    images = rules.images(health, database=AWAY, store=UP, is_full=False)

    assert (images.condition, images.since) == ("down", since)


@pytest.mark.parametrize(
    ("target", "store", "is_full", "condition", "since"),
    [
        (target("operational", 10), Sight(up=True, since=30.0), False, "operational", 30),
        (target("operational", 10), AWAY, False, "degraded", 50),
        (target("operational", 10), AWAY, True, "down", 50),
        (target("open", 10), AWAY, False, "down", 10),
        (target("open", 10), AWAY, True, "down", 10),
    ],
)
def test_without_the_store_images_are_degraded_and_down_once_no_more_can_wait(
    *, target: RouteHealth, store: Sight, is_full: bool, condition: str, since: float
) -> None:
    images = rules.images([target], database=UP, store=store, is_full=is_full)

    assert (images.condition, images.since) == (condition, since)


@pytest.mark.parametrize(
    ("database", "redis", "condition", "since"),
    [
        (UP, UP, "operational", None),
        (UP, Sight(up=True, since=30.0), "operational", 30),
        (UP, Sight(up=False, since=40.0), "degraded", 40),
        (AWAY, Sight(up=False, since=40.0), "down", 50),
    ],
)
def test_the_api_needs_the_database_and_is_strict_without_redis(
    database: Sight, redis: Sight, condition: str, since: float | None
) -> None:
    api = rules.api(database=database, redis=redis)

    assert (api.condition, api.since) == (condition, since)


def test_the_next_try_is_the_first_of_those_that_are_shut() -> None:
    shut = [target("open", 10, until=40), target("out", 10, until=30), target("operational")]

    assert rules.next_try_at(shut) == 30
    assert rules.next_try_at([*shut, target("half-open", 10, until=99)]) is None
    assert rules.next_try_at([target("operational")]) is None


def test_a_moment_stays_until_something_changes() -> None:
    gone = rules.seen(Sight(), up=False, now=7)

    assert rules.seen(gone, up=False, now=9) == gone == Sight(up=False, since=7)
    assert rules.seen(gone, up=True, now=9) == Sight(up=True, since=9)
    assert rules.seen(Sight(), up=True, now=9) == Sight()
