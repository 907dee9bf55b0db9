"""What each key's tests asked for in advance, and what was received from it."""

import time
from collections import deque
from typing import Any

import orjson

from nanobanana_sandbox.calls import Call

_SECRET_HEADERS = frozenset({"x-goog-api-key", "authorization", "cookie"})


class Scripts:
    """A queue of scenario items per key; each generation call takes one entry."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[str]] = {}

    def extend(self, key: str, entries: list[str]) -> int:
        queue = self._queues.setdefault(key, deque())
        queue.extend(entries)
        return len(queue)

    def take(self, key: str) -> str:
        """Return the next entry, or an empty one when nothing is scripted."""
        queue = self._queues.get(key)
        return queue.popleft() if queue else ""

    def clear(self, key: str) -> None:
        self._queues.pop(key, None)


class Journal:
    """Remembers the latest calls of all keys together, up to `max_bytes` of bodies."""

    def __init__(self, *, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._calls: deque[tuple[float, Call]] = deque()

    def record(self, call: Call) -> None:
        self._calls.append((time.time(), call))
        self._bytes += _weight(call)
        while self._bytes > self._max_bytes:
            self._bytes -= _weight(self._calls.popleft()[1])

    def of(self, key: str) -> list[dict[str, Any]]:
        return [_entry(received_at, call) for received_at, call in self._calls if call.key == key]

    def clear(self, key: str) -> None:
        self._calls = deque(item for item in self._calls if item[1].key != key)
        self._bytes = sum(_weight(call) for _, call in self._calls)


def _weight(call: Call) -> int:
    # About what the call's objects take beside its body.
    return len(call.body) + 2_000


def _entry(received_at: float, call: Call) -> dict[str, Any]:
    return {
        "received_at": received_at,
        "http_method": call.http_method,
        "path": call.path,
        "model": call.model_id,
        "method": call.method,
        "headers": {name: value for name, value in call.headers.items() if name not in _SECRET_HEADERS},
        "body": _json_or_text(call.body),
    }


def _json_or_text(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
