import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Never more than `tokens` in any `window_s` seconds, for each `subject` of this name."""

    name: str
    subject: str
    tokens: int
    window_s: int
    # What a token is, where it is not a request.
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a limit stands: tokens left, and seconds until one more comes back (0 when none is taken). `taken`: by the
    call that this answers; a token that was in the window already is somebody else's to give back."""

    limit: Limit
    remaining: int
    reset_s: float
    taken: bool = False

    @property
    def wait_s(self) -> int:
        """After that many seconds somebody who was refused fits in again, unless others come first."""
        return max(1, math.ceil(self.reset_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    allowed: bool
    windows: Sequence[Window]

    @property
    def tightest(self) -> Window:
        """The one that keeps a refused caller waiting longest."""
        return max(self.windows, key=lambda window: (window.remaining == 0, window.reset_s))

    @property
    def retry_after_s(self) -> int:
        return self.tightest.wait_s
