"""The routes to Google, or to its stand-in, as the settings have them."""

import asyncio
from collections.abc import Iterator

import aiohttp
from redis.asyncio import Redis

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.routes.repository import BreakersInRedis
from nanobanana.domain.routes.route import Route, identity_of
from nanobanana.domain.routes.service import Routes
from nanobanana.integrations.google import vertex
from nanobanana.integrations.google.access import Access, ApiKeyAccess
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.vertex import AccessTokens, VertexAccess
from nanobanana.settings import Settings

# Pictures between Google's first byte and the store, of 2 to 6 MB each while they are decoded.
BODIES_AT_ONCE = 8
# Of their own: a test key may ask for a body that stalls, and must not hold up a live one.
TEST_BODIES_AT_ONCE = 2


def all_routes(
    settings: Settings, http: aiohttp.ClientSession, redis: Redis, *, secret: str
) -> dict[Mode, Routes]:
    return {"live": live_routes(settings, http, redis, secret=secret), "test": sandbox_routes(settings, http)}


def live_routes(settings: Settings, http: aiohttp.ClientSession, redis: Redis, *, secret: str) -> Routes:
    """To Google as soon as there is an account for it, else to the sandbox. `secret` hides what the names under which
    processes share their knowledge are made of."""
    slots = asyncio.Semaphore(BODIES_AT_ONCE)

    def route(name: str, access: Access, credential: str) -> Route:
        return Route(
            name,
            _images(settings, http, access, slots),
            identity=identity_of(credential, secret=secret),
            calls_at_once=settings.google_calls_at_once,
        )

    routes = [route(name, access, credential) for name, access, credential in _ways_to_google(settings)]
    return Routes(
        routes or [route("sandbox", _sandbox(settings), "sandbox")],
        models=settings.gemini_models,
        shared=BreakersInRedis(redis, name=identity_of("routes", secret=secret)),
    )


def sandbox_routes(settings: Settings, http: aiohttp.ClientSession) -> Routes:
    """Of test keys, or of visitors: always the sandbox, and never shut, because one caller's failures on demand are no
    other's. Each call gives routes with slots of their own."""
    images = _images(settings, http, _sandbox(settings), asyncio.Semaphore(TEST_BODIES_AT_ONCE))
    route = Route("test", images, identity="test", calls_at_once=settings.google_calls_at_once, breaks=False)
    return Routes([route], models=settings.gemini_models, shared=None)


def _ways_to_google(settings: Settings) -> Iterator[tuple[str, Access, str]]:
    """Name, access and credential of each account, in the order of use."""
    for name, key in (("primary", settings.gemini_api_key), ("standby", settings.gemini_standby_api_key)):
        if key:
            secret = key.get_secret_value()
            yield name, _key_access(settings, settings.gemini_base_url, secret), secret
    if project := settings.vertex_project:
        location = settings.vertex_location
        url = settings.vertex_base_url or vertex.base_url(location)
        access = VertexAccess(base_url=url, project=project, location=location, tokens=AccessTokens())
        yield "vertex", access, f"{project} {location}"


def _sandbox(settings: Settings) -> Access:
    return _key_access(settings, settings.sandbox_url or "http://sandbox.invalid", "sandbox")


def _key_access(settings: Settings, url: str, key: str) -> ApiKeyAccess:
    return ApiKeyAccess(base_url=url, api_version=settings.gemini_api_version, api_key=key)


def _images(
    settings: Settings, http: aiohttp.ClientSession, access: Access, slots: asyncio.Semaphore
) -> dict[str, GoogleImages]:
    return {
        model: GoogleImages(
            http, access=access, model=model, timeout_s=settings.gemini_timeout_s, body_slots=slots
        )
        for model in settings.gemini_models
    }
