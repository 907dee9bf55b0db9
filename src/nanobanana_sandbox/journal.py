"""What each key's tests asked for in advance, and what was received from it."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from nanobanana_sandbox.calls import Call

_SECRET_HEADERS = frozenset({"x-goog-api-key", "authorization", "cookie"})


class Scripts:
    """A queue of scenario items per key, of which each generation call takes one; and what all calls get that find
    it empty."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[str]] = {}
        self._standing: dict[str, str] = {}

    def extend(self, key: str, entries: list[str]) -> int:
        queue = self._queues.setdefault(key, deque())
        queue.extend(entries)
        return len(queue)

    def take(self, key: str) -> str:
        """Return the next entry, or an empty one when nothing is scripted."""
        queue = self._queues.get(key)
        return queue.popleft() if queue else self._standing.get(key, "")

    def stand(self, key: str, entry: str) -> None:
        self._standing[key] = entry

    def clear(self, key: str) -> None:
        self._queues.pop(key, None)
        self._standing.pop(key, None)


@dataclass
class Received:
    call: Call
    at: float = field(default_factory=time.time)
    # Whether the model made a picture, which Google charges for whoever receives it.
    made_picture: bool = False


class Journal:
    """Remembers the latest calls of all keys together, up to `max_bytes` of bodies."""

    def __init__(self, *, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._received: deque[Received] = deque()

    def record(self, call: Call) -> "Received":
        received = Received(call)
        self._received.append(received)
        self._bytes += _weight(call)
        while self._bytes > self._max_bytes:
            self._bytes -= _weight(self._received.popleft().call)
        return received

    def of(self, key: str) -> list[dict[str, Any]]:
        return [_entry(received) for received in self._received if received.call.key == key]

    def clear(self, key: str) -> None:
        self._received = deque(received for received in self._received if received.call.key != key)
        self._bytes = sum(_weight(received.call) for received in self._received)


def _weight(call: Call) -> int:
    # About what the call's objects take beside its body.
    return len(call.body) + 2_000


def _entry(received: Received) -> dict[str, Any]:
    call = received.call
    return {
        "received_at": received.at,
        "made_picture": received.made_picture,
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
