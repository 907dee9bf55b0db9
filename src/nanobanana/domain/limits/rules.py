"""The sliding window without Redis, and what callers are told about one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from nanobanana.domain.limits.types import Limit, Verdict, Window
from nanobanana.errors import OverloadedError


@dataclass(frozen=True, slots=True)
class _Taken:
    window_s: int
    # Token → when it was taken; the oldest first, as time goes on.
    tokens: dict[str, float] = field(default_factory=dict)

    def forget(self, now: float) -> int:
        """Lets go of the tokens whose window has ended; gives their number."""
        ended = list(takewhile(lambda token: self.tokens[token] <= now - self.window_s, self.tokens))
        for token in ended:
            del self.tokens[token]
        return len(ended)


class WindowsInMemory:
    """Decides exactly as the script in repository.py does, for this process alone."""

    def __init__(self, *, capacity: int = 50_000) -> None:
        """`capacity`: tokens kept, some 250 bytes each. Beyond it nothing is let through."""
        self._capacity = capacity
        self._taken: dict[str, _Taken] = {}
        self._size = 0

    def take(
        self, wanted: Mapping[str, Limit], *, token: str, now: float, only_look: bool = False
    ) -> Verdict:
        taken = {key: self._current(key, limit, now) for key, limit in wanted.items()}
        allowed = all(
            token in taken[key].tokens or len(taken[key].tokens) < limit.tokens
            for key, limit in wanted.items()
        )
        new: Mapping[str, _Taken] = {}
        if allowed and not only_look:
            new = {key: counted for key, counted in taken.items() if token not in counted.tokens}
            self._add(new, token=token, now=now)
        windows = [_window(limit, taken[key].tokens, now, taken=key in new) for key, limit in wanted.items()]
        return Verdict(allowed=allowed, windows=windows)

    def give_back(self, wanted: Mapping[str, Limit], *, token: str) -> None:
        for key in wanted:
            if key in self._taken and self._taken[key].tokens.pop(token, None) is not None:
                self._size -= 1

    def forget_ended(self, now: float) -> None:
        for key, taken in list(self._taken.items()):
            self._size -= taken.forget(now)
            if not taken.tokens:
                del self._taken[key]

    def _current(self, key: str, limit: Limit, now: float) -> _Taken:
        """Not kept until a token is in it, or those who are refused would fill the memory."""
        taken = self._taken.get(key) or _Taken(limit.window_s)
        self._size -= taken.forget(now)
        return taken

    def _add(self, new: Mapping[str, _Taken], *, token: str, now: float) -> None:
        if self._size + len(new) > self._capacity:
            raise OverloadedError
        for key, counted in new.items():
            counted.tokens[token] = now
            self._taken[key] = counted
        self._size += len(new)


def rate_limit_headers(windows: Sequence[Window]) -> dict[str, str]:
    """As draft-ietf-httpapi-ratelimit-headers has them; and, of the tightest on requests, as OpenAI's clients know them."""
    if not windows:
        return {}
    headers = {
        "RateLimit-Policy": ", ".join(_policy(window.limit) for window in windows),
        "RateLimit": ", ".join(
            f'"{window.limit.name}";r={window.remaining};t={math.ceil(window.reset_s)}' for window in windows
        ),
    }
    if on_requests := [window for window in windows if window.limit.unit is None]:
        tightest = min(on_requests, key=lambda window: window.remaining)
        headers |= {
            "x-ratelimit-limit-requests": str(tightest.limit.tokens),
            "x-ratelimit-remaining-requests": str(tightest.remaining),
            "x-ratelimit-reset-requests": f"{math.ceil(tightest.reset_s)}s",
        }
    return headers


def _policy(limit: Limit) -> str:
    unit = f';nb-unit="{limit.unit}"' if limit.unit else ""
    return f'"{limit.name}";q={limit.tokens};w={limit.window_s}{unit}'


def _window(limit: Limit, tokens: Mapping[str, float], now: float, *, taken: bool) -> Window:
    # As long as this one counts, no further token fits.
    at = next(islice(tokens.values(), max(0, len(tokens) - limit.tokens), None), None)
    return Window(
        limit=limit,
        remaining=max(0, limit.tokens - len(tokens)),
        reset_s=0.0 if at is None else at + limit.window_s - now,
        taken=taken,
    )
