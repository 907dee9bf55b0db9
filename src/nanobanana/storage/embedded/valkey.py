"""The embedded Valkey, in Redis' place: a unix socket, no file of its own. What it holds may be lost."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from nanobanana.storage.embedded.binaries import valkey_binary
from nanobanana.storage.embedded.errors import EmbeddedServerError
from nanobanana.storage.embedded.logs import last_words, open_log
from nanobanana.storage.embedded.places import make_directory, socket_directory
from nanobanana.storage.embedded.process import spawn, stop

_SOCKET = "valkey.sock"
_START_PATIENCE_S = 30
_SHUTDOWN_S = 5

_SETTINGS = {
    "port": "0",
    "save": "",
    "appendonly": "no",
    "maxmemory": "64mb",
    # When full, what would expire next goes first: never a refused write on the way of a request.
    "maxmemory-policy": "volatile-ttl",
    "loglevel": "warning",
}


class Valkey:
    name = "Valkey"

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.home = make_directory(data_dir / "valkey", mode=0o700)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, claim_fd: int) -> None:
        """Only for the holder of the claim on `home`."""
        self._process = self._spawn(claim_fd)
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        if self._process is None:
            return
        stop(self._process, (signal.SIGTERM, _SHUTDOWN_S))
        if self._socket.parent.parent != self.home:
            shutil.rmtree(self._socket.parent, ignore_errors=True)

    @cached_property
    def _socket(self) -> Path:
        return socket_directory(self.home, _SOCKET) / _SOCKET

    def _spawn(self, claim_fd: int) -> subprocess.Popen[bytes]:
        settings = {
            **_SETTINGS,
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
        }
        arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
        log = open_log(self._data_dir, "valkey")
        try:
            return spawn(
                [valkey_binary(), *arguments], cwd="/", stdout=log, stderr=log, inherited_fds=[claim_fd]
            )
        finally:
            os.close(log)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_PATIENCE_S
        while not self._answers():
            if process.poll() is not None:
                raise EmbeddedServerError(f"Valkey did not start:\n{last_words(self._data_dir, 'valkey')}")
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(f"Valkey was not ready within {_START_PATIENCE_S} seconds.")
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self._socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False
