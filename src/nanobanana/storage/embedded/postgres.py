"""The embedded PostgreSQL: one cluster under DATA_DIR, reached over a unix socket and nothing else."""

import os
import shutil
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from nanobanana.storage.embedded.binaries import PostgresBinaries, postgres_binaries
from nanobanana.storage.embedded.errors import EmbeddedServerError
from nanobanana.storage.embedded.logs import last_words, open_log
from nanobanana.storage.embedded.places import (
    barrier,
    cluster_home,
    make_directory,
    socket_directory,
    unprivileged_identity,
)
from nanobanana.storage.embedded.process import Identity, run, spawn, stop

_NAME = "nanobanana"  # of the database and of its user
_SOCKET = ".s.PGSQL.5432"
_START_PATIENCE_S = 120  # a recovery after a crash on a slow card
_FAST_SHUTDOWN_S = 20
_IMMEDIATE_SHUTDOWN_S = 5

# Made for a machine with 2 GB. Given at each start, so that they hold for older clusters too.
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "32MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    # Nobody replicates from here, so the log need not hold more than a recovery needs.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # "log" ranks above "error": a failing statement, with what it contained, is its caller's to report.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


class Postgres:
    name = "PostgreSQL"

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.home = cluster_home(data_dir)
        self._cluster = self.home / "data"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{_NAME}@/{_NAME}?host={quote(str(self._socket_directory))}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, claim_fd: int) -> None:
        """Only for the holder of the claim on `home`: there is no other postmaster, whatever leftover files say."""
        self._check_the_way()
        if not self._cluster.exists():
            self._make_cluster(claim_fd)
        self._check_version()
        self._remove_leftovers()
        self._process = self._spawn(claim_fd)
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        if self._process is None:
            return
        stop(self._process, (signal.SIGINT, _FAST_SHUTDOWN_S), (signal.SIGQUIT, _IMMEDIATE_SHUTDOWN_S))
        if self._socket_directory.parent != self.home:
            shutil.rmtree(self._socket_directory, ignore_errors=True)

    @cached_property
    def _identity(self) -> Identity | None:
        """Under root, an existing cluster runs as whoever owns it: it may come from a start without root."""
        if not self._cluster.exists():
            return unprivileged_identity()
        owner = self._cluster.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:
            return Identity(owner.st_uid, owner.st_gid)
        if owner.st_uid != os.geteuid():
            raise EmbeddedServerError(
                f"The database in {self._cluster} belongs to another user; start as root, or set another DATA_DIR."
            )
        return None

    @cached_property
    def _binaries(self) -> PostgresBinaries:
        binaries = postgres_binaries(self._identity)
        if int(binaries.major_version) < 17:  # the first with the built-in C.UTF-8
            raise EmbeddedServerError(
                f"{binaries.directory} holds PostgreSQL {binaries.major_version}; 17 or newer is needed."
            )
        return binaries

    @cached_property
    def _socket_directory(self) -> Path:
        return socket_directory(self.home, _SOCKET, owner=self._identity)

    def _check_the_way(self) -> None:
        if self._identity and (closed := barrier(self.home, self._identity)):
            raise EmbeddedServerError(
                f"The database in {self.home} cannot be reached: its user may not enter {closed}. "
                "Move DATA_DIR to a place that others may enter."
            )

    def _make_cluster(self, claim_fd: int) -> None:
        """Under another name first: a cluster of the final name is complete, database included."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_directory(unfinished, mode=0o700, owner=self._identity)
        options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        options += ["--auth=trust", f"--username={_NAME}", "--no-instructions"]
        self._run_to_end("initdb", *options, "-D", unfinished, claim_fd=claim_fd)
        single = ("--single", "-D", unfinished, "postgres")
        self._run_to_end("postgres", *single, text=f"CREATE DATABASE {_NAME};\n", claim_fd=claim_fd)
        unfinished.rename(self._cluster)
        _flush(self.home)

    def _run_to_end(self, program: str, *arguments: str | Path, claim_fd: int, text: str = "") -> None:
        log = open_log(self._data_dir, "postgres")
        try:
            code = run(
                [self._binaries.directory / program, *arguments],
                text=text,
                identity=self._identity,
                env=_environment(),
                cwd="/",
                stdout=log,
                stderr=log,
                inherited_fds=[claim_fd],
            )
        finally:
            os.close(log)
        if code != 0:
            raise EmbeddedServerError(f"{program} failed:\n{last_words(self._data_dir, 'postgres')}")

    def _check_version(self) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text().strip()
        if made_by != self._binaries.major_version:
            raise EmbeddedServerError(
                f"The database in {self._cluster} was made by PostgreSQL {made_by}, "
                f"but the programs are version {self._binaries.major_version}: set NB_PG_BIN to those of {made_by}."
            )

    def _remove_leftovers(self) -> None:
        """After a crash in a container, a new process may have the number that the old files name.

        PostgreSQL would take it for a running postmaster and refuse to start.
        """
        for leftover in self._socket_directory.iterdir():
            leftover.unlink()
        pid_file = self._cluster / "postmaster.pid"
        if _names_a_stranger(pid_file):
            pid_file.unlink()

    def _spawn(self, claim_fd: int) -> subprocess.Popen[bytes]:
        # Quoted: it is a list.
        directory = str(self._socket_directory).replace('"', '""')
        settings = {**_SETTINGS, "unix_socket_directories": f'"{directory}"'}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        log = open_log(self._data_dir, "postgres")
        try:
            return spawn(
                [self._binaries.directory / "postgres", "-D", self._cluster, *arguments],
                identity=self._identity,
                env=_environment(),
                cwd="/",
                stdout=log,
                stderr=log,
                inherited_fds=[claim_fd],
                death_signal=signal.SIGINT,  # a fast, clean shutdown
            )
        finally:
            os.close(log)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_PATIENCE_S
        while not self._ready(process.pid):
            if process.poll() is not None:
                raise EmbeddedServerError(
                    f"PostgreSQL did not start:\n{last_words(self._data_dir, 'postgres')}"
                )
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(f"PostgreSQL was not ready within {_START_PATIENCE_S} seconds.")
            time.sleep(0.01)

    def _ready(self, pid: int) -> bool:
        """The postmaster writes its state into the eighth line of its file; pg_ctl reads it there too."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _environment() -> dict[str, str]:
    """Nothing of the operator's: PGPORT, PGOPTIONS or a locale would change the server."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def _names_a_stranger(pid_file: Path) -> bool:
    """A process of that number exists and is no PostgreSQL, or is one that ended and waits for its parent to notice.

    Only Linux can tell. That there is no such process PostgreSQL sees itself.
    """
    try:
        process = Path("/proc", pid_file.read_text().splitlines()[0])
        return process.exists() and not (process / "exe").readlink().name.startswith("postgres")
    except FileNotFoundError:  # the link of an ended process leads nowhere
        return pid_file.exists()
    except (IndexError, PermissionError):
        return False


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
