"""Who runs something under a directory, found out by the kernel's locks and never by process ids.

Two files, two locks. `NAME.lock` is inherited by what the owner starts, so it is free only when the last of those
processes is gone, even after the owner was killed. `NAME.json` says what the owner offers; it counts only while the
owner, and it alone, holds the lock on that file.
"""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PAUSE_S = 0.02


class Claim:
    """A claim on NAME: taken, or somebody else's. Leaving the context gives it back."""

    def __init__(self, directory: Path, name: str) -> None:
        self._lock = os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._record = os.open(directory / f"{name}.json", os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._record)
        os.close(self._lock)

    @property
    def inherited_fd(self) -> int:
        """To be passed to every process the owner starts."""
        return self._lock

    def take_or_read(self, *, patience_s: float) -> dict[str, Any] | None:
        """None when the claim is ours now, else what its living owner has announced.

        In between (an owner that has not announced yet, processes of a dead owner that are still ending) it waits.
        """
        deadline = time.monotonic() + patience_s
        while not self._try_take():
            if facts := self.read():
                return facts
            _pause(deadline)
        return None

    def take(self, *, patience_s: float) -> None:
        """Waits until the claim is ours."""
        deadline = time.monotonic() + patience_s
        while not self._try_take():
            _pause(deadline)

    def announce(self, facts: dict[str, Any]) -> None:
        fcntl.flock(self._record, fcntl.LOCK_EX)
        os.ftruncate(self._record, 0)
        os.pwrite(self._record, json.dumps(facts).encode(), 0)

    def withdraw(self) -> None:
        """From here on nobody joins; the claim itself stays ours."""
        os.ftruncate(self._record, 0)

    def _try_take(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def read(self) -> dict[str, Any] | None:
        """What a living owner has announced."""
        try:
            fcntl.flock(self._record, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError):  # empty or half-written
                facts: dict[str, Any] = json.loads(os.pread(self._record, 65_536, 0))
                return facts
        else:
            fcntl.flock(self._record, fcntl.LOCK_UN)  # nobody holds it: a dead owner's words
        return None


def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError
    time.sleep(_PAUSE_S)
