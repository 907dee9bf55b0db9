import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from nanobanana.domain.limits.service import Limiter
from nanobanana.storage.redis import SharedConnection, open_redis

OpenRedis = Callable[..., Redis]
MakeLimiter = Callable[..., Limiter]


@pytest.fixture
async def connect() -> AsyncIterator[OpenRedis]:
    """`open_redis`, closed after the test."""
    async with AsyncExitStack() as closing:

        def opened(url: str) -> Redis:
            redis = open_redis(url)
            closing.push_async_callback(redis.aclose)
            return redis

        yield opened


@pytest.fixture
async def limiter(connect: OpenRedis) -> AsyncIterator[MakeLimiter]:
    """Makes what a process has: its connections are its own, the secret is common to all."""
    secret = secrets.token_hex(8)
    shared: list[SharedConnection] = []

    def make(url: str, *, probe: str | None = None, processes: int = 1) -> Limiter:
        shared.append(SharedConnection(url))
        return Limiter(shared[-1], probe=connect(probe or url), secret=secret, processes=processes)

    yield make
    for connection in shared:
        connection.drop()
