"""Starts the service's processes, starts them again when they end, drains them at the end.

Every process has a session of its own, so that Ctrl-C reaches the supervisor alone, and ends with it however it ends.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self

from nanobanana.cli.child_environment import forget_process
from nanobanana.cli.configuration import StartError
from nanobanana.cli.health_probe import HealthProbe
from nanobanana.cli.listening import loopback_address
from nanobanana.cli.watched import ChildProcess, Watched
from nanobanana.shutdown import AFTER_GRACE_S
from nanobanana.storage.embedded.claim import Claim
from nanobanana.storage.embedded.logs import cut_long_logs
from nanobanana.storage.embedded.process import spawn
from nanobanana.storage.embedded.servers import RunningServers

_TICK_S = 0.2
_LOG_CHECK_S = 60
_QUICK_ENDS_AT_START = 5
_SANDBOX_STOP_S = 2


class Supervisor:
    def __init__(
        self,
        servers: RunningServers,
        *,
        environment: Mapping[str, str],
        claim: Claim,
        listener: socket.socket,
    ) -> None:
        self._settings = servers.settings
        self._environment = environment
        self._claim = claim
        self._listener = listener
        self._watched = [Watched(server) for server in servers.owned]
        self._sandbox: list[ChildProcess] = []
        self._web: list[ChildProcess] = []
        self._gate, self._gate_key = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()  # or new callers would wait in its queue for nobody
        os.close(self._gate)
        _stop(self._web, patience_s=self._settings.shutdown_grace_s + AFTER_GRACE_S)
        _stop(self._sandbox, patience_s=_SANDBOX_STOP_S)

    def start_sandbox(self, listener: socket.socket) -> None:
        # It prints its address; that of the service is the one to read.
        quiet = subprocess.DEVNULL
        self._sandbox = [self._start("The sandbox", "nanobanana_sandbox", listener=listener, stdout=quiet)]

    def start_web(self, application: str, *, workers: int) -> None:
        """They import the application and wait at the gate: that is most of a start, and needs no database."""
        for number in range(1, workers + 1):
            name = f"Web process {number}"
            module, options = "nanobanana.cli.web_process", ("--app", application, "--gate", str(self._gate))
            self._web.append(self._start(name, module, *options, listener=self._listener))

    def open_gate(self) -> None:
        os.close(self._gate_key)

    def wait_until_ready(self) -> None:
        """Until /healthz answers. Raises StartError when a process keeps ending at once."""
        probe = HealthProbe(loopback_address(self._listener))
        while not probe.answered():
            self._tick()
            for watched in self._watched:
                if watched.quick_ends >= _QUICK_ENDS_AT_START:
                    raise StartError(
                        f"{watched.subject.name} ended {watched.quick_ends} times right after its start."
                    )
            time.sleep(_TICK_S / 10)

    def watch(self) -> None:
        """Never returns; a signal's KeyboardInterrupt ends it."""
        while True:
            cut_long_logs(self._settings.data_dir)
            next_cut = time.monotonic() + _LOG_CHECK_S
            while time.monotonic() < next_cut:
                self._tick()
                time.sleep(_TICK_S)

    def _start(
        self, name: str, module: str, *options: str, listener: socket.socket, stdout: int | None = None
    ) -> ChildProcess:
        child = ChildProcess(
            name,
            spawn=partial(self._spawn, module, *options, listener=listener, stdout=stdout),
            forget=partial(forget_process, self._settings.data_dir),
        )
        child.start()
        self._watched.append(Watched(child))
        return child

    def _spawn(
        self, module: str, *options: str, listener: socket.socket, stdout: int | None
    ) -> subprocess.Popen[bytes]:
        fd = listener.fileno()
        return spawn(
            [sys.executable, "-m", module, "--fd", str(fd), *options],
            env=self._environment,
            stdout=stdout,
            inherited_fds=[fd, self._gate, self._claim.inherited_fd],
            death_signal=signal.SIGKILL,
        )

    def _tick(self) -> None:
        for watched in self._watched:
            watched.tick()


def _stop(children: list[ChildProcess], *, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    for child in children:
        child.begin_stop()
    for child in children:
        child.finish_stop(deadline=deadline)
