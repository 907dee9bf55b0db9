"""The road to Redis. It may be gone at any time: whoever calls must have an answer to that."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError


def open_redis(url: str, *, connections: int = 8) -> Redis:
    """A client that gives up at once: the library's defaults wait seconds for a refused connection,
    for ever for a silent one, and raise at the 101st caller as though the server were dead."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=0.1,
        socket_connect_timeout=0.05,
        socket_timeout=0.1,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


async def answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False
