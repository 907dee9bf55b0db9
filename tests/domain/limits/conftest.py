import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from nanobanana.domain.limits.service import Limiter
from nanobanana.storage.redis import open_redis

OpenRedis = Callable[..., Redis]
MakeLimiter = Callable[..., Limiter]


@pytest.fixture
async def connect() -> AsyncIterator[OpenRedis]:
    """`open_redis`, closed after the test."""
    async with AsyncExitStack() as closing:

        def opened(url: str, *, connections: int = 8) -> Redis:
            redis = open_redis(url, connections=connections)
            closing.push_async_callback(redis.aclose)
            return redis

        yield opened


@pytest.fixture
def limiter(connect: OpenRedis) -> MakeLimiter:
    """Makes what a process has: its connections are its own, the secret is common to all."""
    secret = secrets.token_hex(8)

    def make(url: str, *, probe: str | None = None, processes: int = 1) -> Limiter:
        return Limiter(
            connect(url), probe=connect(probe or url, connections=1), secret=secret, processes=processes
        )

    return make
