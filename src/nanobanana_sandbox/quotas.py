"""Token buckets per key and model, with Google's 429 when one runs dry."""

import time
from dataclasses import dataclass, field

from nanobanana_sandbox import errors
from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.config import SandboxConfig


@dataclass
class TokenBucket:
    """Holds `capacity` tokens and refills evenly over `period_s`. Times are on the monotonic clock."""

    capacity: int
    period_s: float
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = self.capacity
        self._filled_at = time.monotonic()

    def seconds_to_next_token(self) -> float:
        now = time.monotonic()
        self._tokens = min(
            self.capacity, self._tokens + (now - self._filled_at) * self.capacity / self.period_s
        )
        self._filled_at = now
        return max(0.0, 1 - self._tokens) * self.period_s / self.capacity

    def take(self) -> None:
        self._tokens -= 1


class Quotas:
    def __init__(self, config: SandboxConfig) -> None:
        windows = (
            ("PerMinute", config.requests_per_minute, 60.0),
            ("PerDay", config.requests_per_day, 86_400.0),
        )
        self._windows = [(name, limit, period_s) for name, limit, period_s in windows if limit]
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}

    def take(self, call: Call) -> None:
        """Take one request of every window, or none and raise the 429 of the first that is dry."""
        buckets = [(name, self._bucket(call, name, limit, period)) for name, limit, period in self._windows]
        for name, bucket in buckets:
            wait_s = bucket.seconds_to_next_token()
            if wait_s > 0:
                raise errors.quota_exhausted(call, window=name, limit=bucket.capacity, retry_after_s=wait_s)
        for _, bucket in buckets:
            bucket.take()

    def _bucket(self, call: Call, window: str, limit: int, period_s: float) -> TokenBucket:
        return self._buckets.setdefault((call.key, call.model_id, window), TokenBucket(limit, period_s))
