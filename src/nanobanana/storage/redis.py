"""The road to Redis. It may be gone at any time: whoever calls must have an answer to that."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CONNECTIONS = 8
_CONNECT_S = 0.05
_ANSWER_S = 0.1
# For one of the connections: a crowd of callers is no sign of a Redis that is gone.
_QUEUE_S = 1


def open_redis(url: str, *, connections: int = CONNECTIONS) -> Redis:
    """A client that gives up at once: the library's defaults wait seconds for a refused connection,
    for ever for a silent one, and raise at the 101st caller as though the server were dead."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=_QUEUE_S,
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=_ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


async def answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False
