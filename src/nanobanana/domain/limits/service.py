"""Grants tokens within limits: by Redis for all processes together, by this process alone while Redis is gone."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from nanobanana.domain.limits.repository import WindowsInRedis
from nanobanana.domain.limits.rules import WindowsInMemory
from nanobanana.domain.limits.types import Limit, Verdict
from nanobanana.metrics import LIMITED_WITHOUT_REDIS
from nanobanana.storage.redis import SharedConnection, answers

# Redis counts as silent when nobody in this process heard from it for three turns, and then as gone when a probe hears
# nothing for three more: together at most 140 ms of a request. Turns of the event loop rather than a deadline, which
# in a busy process runs out while the answer only waits to be read.
_TURN_S = 0.02
_SILENT_TURNS = 3
# So many calls in a row without an answer.
_SILENCES = 10

_FIRST_CALL_S = 2
_HASHES_KEPT = 10_000

T = TypeVar("T")

log = structlog.get_logger()


class Limiter:
    def __init__(self, redis: SharedConnection, *, probe: Redis, secret: str, processes: int) -> None:
        """`processes`: how many share the limits when Redis is gone."""
        self._redis = redis
        self._in_redis = WindowsInRedis(redis)
        self._in_memory = WindowsInMemory()
        self._probe = probe
        self._probing: asyncio.Task[bool] | None = None
        self._redis_is_up = True
        self._heard = 0
        self._silences = 0
        self._secret = secret.encode()
        # An order asks for the same few when it begins and when it ends.
        self._hash = lru_cache(maxsize=_HASHES_KEPT)(self._hash_of)
        self._processes = processes

    async def open(self) -> None:
        """Connects, and loads what a first call loads, with more patience than a request has: at its start, a process
        and its machine are busy."""
        with suppress(RedisError, OSError):  # of which TimeoutError is one
            async with asyncio.timeout(_FIRST_CALL_S):
                await self._in_redis.take({}, token="")
                await answers(self._probe)
        await self.find_redis()

    async def take(self, limits: Sequence[Limit], *, token: str | None = None) -> Verdict:
        """One token of each limit, or of none when one has none left. The same `token` costs once."""
        wanted, token = self._wanted(limits), token or secrets.token_hex(8)
        if verdict := await self._from_redis(self._in_redis.take(wanted, token=token)):
            return verdict
        LIMITED_WITHOUT_REDIS.inc()
        return self._in_memory.take(self._shares(wanted), token=token, now=time.monotonic())

    async def look(self, limits: Sequence[Limit]) -> Verdict:
        """How the limits stand, and whether `take` would be allowed."""
        wanted = self._wanted(limits)
        if verdict := await self._from_redis(self._in_redis.take(wanted, token="")):
            return verdict
        return self._in_memory.take(self._shares(wanted), token="", now=time.monotonic(), only_look=True)

    def give_back(self, limits: Sequence[Limit], *, token: str) -> None:
        """As though the token had never been taken; without Redis at least as far as this process took it. Nobody
        waits for Redis to do it: what this process takes later finds it done."""
        wanted = self._wanted(limits)
        self._in_memory.give_back(wanted, token=token)
        self._in_redis.give_back(wanted, token=token)

    async def find_redis(self) -> bool:
        """Whether Redis answers, which then holds until the next probe. However many ask, one probe goes out."""
        if self._probing is None:
            self._probing = asyncio.create_task(self._ping())
            self._probing.add_done_callback(self._probed)
        return await asyncio.shield(self._probing)

    async def forget_ended(self) -> None:
        self._in_memory.forget_ended(time.monotonic())

    async def _from_redis(self, call: Coroutine[Any, Any, T]) -> T | None:
        """None when Redis is gone."""
        if self._redis_is_up:
            try:
                return await self._heard_in_time(call)
            except (RedisError, OSError):
                self._silences += 1
                if await self.find_redis() and self._silences >= _SILENCES:
                    # Redis answers, but not here: the line is dead, and nobody has told us.
                    self._redis.drop()
        else:
            call.close()
        return None

    def _wanted(self, limits: Sequence[Limit]) -> dict[str, Limit]:
        return {self._key(limit): limit for limit in limits}

    def _shares(self, wanted: Mapping[str, Limit]) -> dict[str, Limit]:
        """What one of the processes may grant alone."""
        return {
            key: replace(limit, tokens=max(1, limit.tokens // self._processes))
            for key, limit in wanted.items()
        }

    async def _ping(self) -> bool:
        try:
            return await self._heard_in_time(answers(self._probe))
        except TimeoutError:
            return False

    async def _heard_in_time(self, call: Coroutine[Any, Any, T]) -> T:
        """The answer to `call`; TimeoutError when Redis has fallen silent."""
        answer = asyncio.create_task(call)
        silent_turns = 0
        try:
            while silent_turns < _SILENT_TURNS:
                heard = self._heard
                await asyncio.wait({answer}, timeout=_TURN_S)
                if answer.done():
                    self._heard += 1
                    self._silences = 0
                    return answer.result()
                silent_turns = silent_turns + 1 if heard == self._heard else 0
        finally:
            answer.cancel()
        raise TimeoutError

    def _probed(self, probing: asyncio.Task[bool]) -> None:
        self._probing = None
        up = not probing.cancelled() and probing.result()
        if up:
            self._redis.reconnect()
        if up != self._redis_is_up:
            self._redis_is_up = up
            if not up:
                self._redis.drop()
            log.warning("redis_is_back" if up else "redis_is_gone")

    def _key(self, limit: Limit) -> str:
        """Short whatever the subject is, and telling nobody who it is. The secret also keeps services that share
        a Redis out of each other's limits."""
        return f"{limit.name}:{limit.window_s}:{self._hash(limit.subject)}"

    def _hash_of(self, subject: str) -> str:
        return hmac.digest(self._secret, subject.encode(), hashlib.sha256)[:12].hex()
