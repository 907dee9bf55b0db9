"""What the sandbox is started with."""

from dataclasses import dataclass
from typing import Self

_LONGEST_S = 300


@dataclass(frozen=True)
class Latency:
    """Seconds before an answer: between `low` and `high`, evenly spread."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2.5` or `15-40`; raises ValueError."""
        low, _, high = text.partition("-")
        latency = cls(float(low), float(high or low))
        if not 0 <= latency.low <= latency.high <= _LONGEST_S:
            raise ValueError(f"{text!r} is no latency: use seconds, as in 2.5 or 15-40, at most {_LONGEST_S}")
        return latency


NO_LATENCY = Latency()


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """`api_keys` may end in `*`. The two quotas count per key; None is no limit."""

    api_keys: tuple[str, ...] = ("sandbox",)
    latency: Latency = NO_LATENCY
    # Gemini 3 models answer 1 to 2 MB of signature beside each image.
    thought_signature_bytes: int = 1_000_000
    imagen: bool = False
    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    picture_cache_bytes: int = 64 * 1024 * 1024
