"""What processes tell each other about the routes, in Redis: one hash with a field for each model by each route.

All of it may be lost, and Redis gone at any time: then each process knows what it has met itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from nanobanana.domain.routes.types import Breaker

# What nobody has written to for so long no service cares for any more.
_KEPT_S = 7 * 86_400
_FIELDS = {field.name for field in fields(Breaker)}


class BreakersInRedis:
    """`name` keeps services that share a Redis apart."""

    def __init__(self, redis: Redis, *, name: str) -> None:
        self._redis = redis
        self._hash = f"routes:{name}"

    async def read(self) -> dict[str, Breaker]:
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._hash))
        return {field.decode(): breaker for field, raw in found.items() if (breaker := _breaker(raw))}

    async def write(self, breakers: Mapping[str, Breaker]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hset(
                self._hash, mapping={field: orjson.dumps(asdict(b)) for field, b in breakers.items()}
            )
            pipeline.expire(self._hash, _KEPT_S)
            await pipeline.execute()

    async def claim_probe(self, field: str, *, lease_s: float) -> bool:
        """Whether the caller, of all processes, is the one who may ask."""
        claimed = await self._redis.set(self._probe(field), b"1", nx=True, px=int(lease_s * 1_000))
        return bool(claimed)

    async def end_probe(self, field: str) -> None:
        await self._redis.delete(self._probe(field))

    def _probe(self, field: str) -> str:
        return f"{self._hash}:probe:{field}"


def _breaker(raw: bytes) -> Breaker | None:
    """None for what another version of the service wrote."""
    value: Any = orjson.loads(raw)
    return Breaker(**value) if value.keys() == _FIELDS else None
