"""Things that must run as long as the service does, and are started again when they end."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from typing import Protocol

import typer

from nanobanana.storage.embedded.errors import EmbeddedServerError

_QUICK_S = 10  # an end within this time after a start is a quick one
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30


class Runnable(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def running(self) -> bool: ...
    def start(self) -> None: ...


class ChildProcess:
    """`forget` hears the number of a process that ended before another takes its place."""

    def __init__(
        self, name: str, *, spawn: Callable[[], subprocess.Popen[bytes]], forget: Callable[[int], None]
    ) -> None:
        self.name = name
        self._spawn = spawn
        self._forget = forget
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        if self._process:
            self._forget(self._process.pid)
        self._process = self._spawn()

    def begin_stop(self) -> None:
        if self._process:
            self._process.terminate()

    def finish_stop(self, *, deadline: float) -> None:
        """Waits until `deadline` of the monotonic clock, then kills."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0, deadline - time.monotonic()))
        self._process.kill()
        self._process.wait()


class Watched:
    """Starts `subject` again when it has ended: at once after a long life, else after pauses that double."""

    def __init__(self, subject: Runnable) -> None:
        self.subject = subject
        self.quick_ends = 0
        self._started_at = time.monotonic()
        self._start_at: float | None = None

    def tick(self) -> None:
        if self.subject.running:
            return
        if self._start_at is None:
            self._start_at = self._plan_start()
        if time.monotonic() >= self._start_at:
            self._start()

    def _plan_start(self) -> float:
        now = time.monotonic()
        self.quick_ends = self.quick_ends + 1 if now - self._started_at < _QUICK_S else 0
        pause = min(_FIRST_PAUSE_S * 2**self.quick_ends, _LONGEST_PAUSE_S) if self.quick_ends else 0
        typer.echo(f"{self.subject.name} ended by itself; starting it again in {pause:.1f} s.", err=True)
        return now + pause

    def _start(self) -> None:
        self._started_at, self._start_at = time.monotonic(), None
        try:
            self.subject.start()
        except EmbeddedServerError as error:  # the next tick plans another start
            typer.echo(str(error), err=True)
