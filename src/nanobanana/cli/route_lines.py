"""How the routes to Google stand, for an operator who may know better."""

from collections.abc import Sequence
from datetime import UTC, datetime

from nanobanana.cli.child_environment import secret_keys_of
from nanobanana.cli.configuration import StartError
from nanobanana.domain.routes.service import Routes
from nanobanana.domain.routes.types import RouteHealth
from nanobanana.google_routes import live_routes
from nanobanana.integrations.google.http import open_http
from nanobanana.settings import Settings
from nanobanana.storage.redis import close_redis, open_redis


async def route_lines(settings: Settings, *, reopen: str | None) -> list[str]:
    """`settings` with the address of Redis."""
    assert settings.redis_url is not None  # noqa: S101  what running_servers promises
    redis = open_redis(settings.redis_url.get_secret_value())
    try:
        async with open_http() as http:
            routes = live_routes(settings, http, redis, secret=secret_keys_of(settings)[0])
            if not await routes.exchange():
                raise StartError("Redis does not answer: each process knows only what it has met itself.")
            if reopen:
                await _reopen(routes, reopen)
            return [_line(health) for health in routes.health()]
    finally:
        await close_redis(redis)


async def _reopen(routes: Routes, name: str) -> None:
    names = _names(routes.health())
    if name not in names:
        raise StartError(f"There is no route {name}. The routes are: {', '.join(names)}.")
    if not await routes.reopen(name):
        raise StartError("Redis does not answer: nobody was told.")


def _names(health: Sequence[RouteHealth]) -> list[str]:
    return list(dict.fromkeys(each.route for each in health))


def _line(health: RouteHealth) -> str:
    line = f"{health.route:<9} {health.model:<30} {health.state}"
    if health.since:
        line += f" since {_time(health.since)}"
    if health.until:
        line += f", asked again {_time(health.until)}, because of {health.reason}"
    return line


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
