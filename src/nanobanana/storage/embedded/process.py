"""Starts and stops processes that must not outlive this one."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import Signals
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """The user a process runs as."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str | Path],
    *,
    identity: Identity | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    stdin: Any = subprocess.DEVNULL,
    stdout: Any = None,
    stderr: Any = None,
    inherited_fds: Sequence[int] = (),
    death_signal: Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Starts a process in a session of its own that gets `death_signal` when this process ends, however it ends.

    Only the main thread may call it: Linux sends that signal when the starting *thread* ends. `identity` drops
    all privileges first; None keeps the present user. Other systems than Linux have no such signal: there a
    killed parent leaves its children running, and the next start waits for their end and then says so.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a process started from a thread would die with that thread")
    with warnings.catch_warnings():
        # Python warns of forks while other threads run, which could hold a lock the child needs. It needs none.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(  # noqa: S603  the argument lists are our own
            argv,
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=inherited_fds,
            start_new_session=True,
            # Runs after the change of user, which would clear the signal.
            preexec_fn=partial(_die_with_parent, death_signal, os.getpid()),  # noqa: PLW1509  see above
            **drop_to(identity),
        )


def drop_to(identity: Identity | None) -> dict[str, Any]:
    """The arguments that make `subprocess` run something as `identity`."""
    return {"user": identity.uid, "group": identity.gid, "extra_groups": []} if identity else {}


def run(argv: Sequence[str | Path], *, text: str = "", **options: Any) -> int:
    """Runs a process to its end with `text` as its input; gives the exit code."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(text.encode())
        stdin.seek(0)
        process = spawn(argv, stdin=stdin, **options)
        try:
            return process.wait()
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes], *steps: tuple[Signals, float]) -> None:
    """Sends each signal and waits its seconds for the end; kills what is still there after the last."""
    for number, patience_s in steps:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            return
    process.kill()
    process.wait()


def _die_with_parent(number: Signals, parent: int) -> None:
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it ended before the line above: the signal will never come
        os._exit(1)
