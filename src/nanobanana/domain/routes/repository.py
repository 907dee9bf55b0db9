"""What processes tell each other about the routes, in Redis: one hash with a field for each model by each route.

All of it may be lost, and Redis gone at any time: then each process knows what it has met itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from nanobanana.domain.routes.types import Breaker

# What nobody has written to for so long no service cares for any more.
_KEPT_S = 7 * 86_400
_FIELDS = {field.name for field in fields(Breaker)}

# A change counts when whoever made it had heard of what is stored. Else that stays, and is the answer. ARGV: how long to
# keep it all, then for each change its field, the `changed_at` that was last heard of, and the new value.
_WRITE = """
local newer = {}
for i = 2, #ARGV, 3 do
  local stored = redis.call('HGET', KEYS[1], ARGV[i])
  if stored and (cjson.decode(stored).changed_at or 0) > tonumber(ARGV[i + 1]) then
    table.insert(newer, ARGV[i])
    table.insert(newer, stored)
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return newer
"""
# ARGV: the holder, and for how many milliseconds.
_HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# ARGV: the holder.
_LET_GO = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class BreakersInRedis:
    """`name` keeps services that share a Redis apart."""

    def __init__(self, redis: Redis, *, name: str) -> None:
        self._redis = redis
        self._hash = f"routes:{name}"
        self._write = redis.register_script(_WRITE)
        self._hold = redis.register_script(_HOLD)
        self._let_go = redis.register_script(_LET_GO)

    async def read(self) -> dict[str, Breaker]:
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._hash))
        return _breakers(found.items())

    async def write(self, changes: Mapping[str, tuple[float, Breaker]]) -> dict[str, Breaker]:
        """Each change with the `changed_at` that was last heard of. Gives what is newer than that: it stays."""
        arguments: list[str | bytes | float] = [_KEPT_S]
        for field, (heard_at, breaker) in changes.items():
            arguments += [field, repr(heard_at), orjson.dumps(asdict(breaker))]
        newer = cast("list[bytes]", await self._write(keys=[self._hash], args=arguments))
        return _breakers(zip(newer[::2], newer[1::2], strict=True))

    async def hold_probe(self, field: str, holder: str, *, lease_s: float) -> bool:
        """From now on, if nobody else does; who holds it already holds it for longer."""
        held = await self._hold(keys=[self._probe(field)], args=[holder, int(lease_s * 1_000)])
        return bool(held)

    async def let_go_of_probe(self, field: str, holder: str) -> None:
        await self._let_go(keys=[self._probe(field)], args=[holder])

    async def probes_held_s(self, fields: Sequence[str]) -> list[float]:
        """For how long each is held; 0: by nobody."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for field in fields:
                pipeline.pttl(self._probe(field))
            return [max(0, left) / 1_000 for left in await pipeline.execute()]

    def _probe(self, field: str) -> str:
        return f"{self._hash}:probe:{field}"


def _breakers(found: Iterable[tuple[bytes, bytes]]) -> dict[str, Breaker]:
    return {field.decode(): breaker for field, raw in found if (breaker := _breaker(raw))}


def _breaker(raw: bytes) -> Breaker | None:
    """None for what another version of the service wrote."""
    value: Any = orjson.loads(raw)
    return Breaker(**value) if value.keys() == _FIELDS else None
