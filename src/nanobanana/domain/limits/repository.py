"""The sliding window in Redis: one script, one round trip for any number of windows."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import cast

from redis.exceptions import NoScriptError

from nanobanana.domain.limits.types import Limit, Verdict, Window
from nanobanana.storage.redis import SharedConnection

_MICROSECONDS = 1_000_000

# Each window is a sorted set of the tokens taken in it, by the microsecond of Redis's own clock: the clocks of several
# machines would not agree. All windows have room or none gives a token; a token that is in one already costs nothing
# there. Redis runs nothing else meanwhile.
#   KEYS: one per window. ARGV: the token, then for each window its limit and its length. An empty token only looks.
SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local token = ARGV[1]
local allowed, counts, held = 1, {}, {}
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[2 * i + 1])
  counts[i] = redis.call('ZCARD', key)
  held[i] = redis.call('ZSCORE', key, token)
  if not held[i] and counts[i] >= tonumber(ARGV[2 * i]) then allowed = 0 end
end
local answer = {allowed}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local taken = allowed == 1 and token ~= '' and not held[i]
  if taken then
    redis.call('ZADD', key, now, token)
    redis.call('PEXPIRE', key, math.ceil(window / 1000))
    counts[i] = counts[i] + 1
  end
  -- As long as this one counts, no further token fits.
  local rank = math.max(0, counts[i] - limit)
  local at = redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')[2]
  table.insert(answer, math.max(0, limit - counts[i]))
  table.insert(answer, at and at + window - now or 0)
  table.insert(answer, taken and 1 or 0)
end
return answer
"""


class WindowsInRedis:
    def __init__(self, redis: SharedConnection, *, script: str = SCRIPT) -> None:
        self._redis = redis
        self._script = script
        self._hash = hashlib.sha1(script.encode()).hexdigest()  # noqa: S324 - Redis names scripts so

    async def take(self, wanted: Mapping[str, Limit], *, token: str) -> Verdict:
        arguments: list[str | int] = [token]
        for limit in wanted.values():
            arguments += [limit.tokens, limit.window_s * _MICROSECONDS]
        allowed, *states = await self._run(*_names(wanted), *arguments, windows=len(wanted))
        windows = [
            Window(limit=limit, remaining=remaining, reset_s=reset / _MICROSECONDS, taken=bool(taken))
            for limit, (remaining, reset, taken) in zip(wanted.values(), _by_three(states), strict=True)
        ]
        return Verdict(allowed=bool(allowed), windows=windows)

    def give_back(self, wanted: Mapping[str, Limit], *, token: str) -> None:
        for name in _names(wanted):
            self._redis.post("ZREM", name, token)

    async def _run(self, *keys_and_arguments: str | int, windows: int) -> list[int]:
        try:
            answer = await self._redis.call("EVALSHA", self._hash, windows, *keys_and_arguments)
        except NoScriptError:  # Redis has begun anew
            answer = await self._redis.call("EVAL", self._script, windows, *keys_and_arguments)
        return cast("list[int]", answer)


def _by_three(states: list[int]) -> Iterator[tuple[int, ...]]:
    return zip(*[iter(states)] * 3, strict=True)


def _names(wanted: Mapping[str, Limit]) -> list[str]:
    """With one hash tag: a cluster keeps all windows on one server, where the script can see them together."""
    return [f"{{limits}}:{key}" for key in wanted]
