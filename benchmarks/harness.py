"""What all benchmarks share: the service and a sandbox as real processes, and what they cost by the kernel's count."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

_TICKS = os.sysconf("SC_CLK_TCK")
# What `serve` gives its web processes; the bare loop gets the same, or it would look slower than it is.
MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "67108864",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}

ROOMY_PLANS = Path(__file__).with_name("roomy_plans.toml")


@dataclass(frozen=True)
class Service:
    url: str
    key: str
    data_dir: Path
    supervisor: int

    def processes(self) -> dict[int, str]:
        """The service's processes by name; the sandbox stands for Google and does not count."""
        found = {pid: _name_of(pid) for pid in _descendants(self.supervisor)}
        return {pid: name for pid, name in found.items() if name != "sandbox"}

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time so far, per kind of process."""
        seconds: dict[str, float] = {}
        for pid, name in self.processes().items():
            seconds[name] = seconds.get(name, 0.0) + cpu_seconds_of(pid)
        return seconds

    def web_rss_mb(self, *, peak: bool = False) -> float:
        """Of the largest web process."""
        pids = [pid for pid, name in self.processes().items() if name == "web"]
        return max(_status_mb(pid, "VmHWM" if peak else "VmRSS") for pid in pids)

    def pss_mb(self) -> dict[str, float]:
        """Memory per kind of process, shared pages divided among those who share them."""
        sizes: dict[str, float] = {}
        for pid, name in self.processes().items():
            sizes[name] = sizes.get(name, 0.0) + _pss_mb(pid)
        return sizes

    def empty_images(self) -> None:
        empty_files(self.data_dir / "images")


def empty_files(folder: Path) -> None:
    """Gives the pages of the file cache back after a batch: fresh ones would cost more than the code that is measured.

    The files stay, empty: ext4 without a journal looks at each file deleted in the last minute whenever it makes a
    new one, which cost up to 1 ms per image.
    """
    for file in folder.rglob("*.*"):
        if file.is_file():
            os.truncate(file, 0)


@contextmanager
def running_sandbox(*arguments: str) -> Iterator[str]:
    """A sandbox of the benchmark's own, with no thought signatures unless asked for. Gives its address."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listening.set_inheritable(True)
    fd = listening.fileno()
    command = [sys.executable, "-m", "nanobanana_sandbox", "--fd", str(fd), *arguments]
    process = subprocess.Popen(command, pass_fds=[fd], stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        process.kill()
        process.wait()
        listening.close()


@contextmanager
def running_service(
    *, google: str, workers: int = 1, plans: Path = ROOMY_PLANS, **settings: str
) -> Iterator[Service]:
    """`serve` in a new data directory with its embedded servers, with `google` in Google's place."""
    with data_folder() as data_dir:
        port = free_port()
        settings = {"PLANS_FILE": str(plans), **settings}
        process = start_service(data_dir, port=port, google=google, workers=workers, **settings)
        try:
            key = (data_dir / "development_api_key").read_text().strip()
            yield Service(url=f"http://127.0.0.1:{port}", key=key, data_dir=data_dir, supervisor=process.pid)
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextmanager
def data_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nanobanana-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - PostgreSQL's unprivileged user passes through it
        yield Path(folder, "data")


def start_service(
    data_dir: Path, *, port: int, google: str, workers: int, **settings: str
) -> subprocess.Popen[bytes]:
    """`serve`, ready; what it says goes to a file beside its data."""
    options = ["--port", str(port), "--workers", str(workers)]
    process = _start(data_dir, "serve", *options, google=google, settings=settings)
    _wait_until_ready(f"http://127.0.0.1:{port}", process, data_dir.with_name("serve.log"))
    return process


def start_worker(data_dir: Path, *, google: str, **settings: str) -> subprocess.Popen[bytes]:
    """`worker` beside a service that runs, on its way to be ready."""
    return _start(data_dir, "worker", google=google, settings=settings)


def _start(
    data_dir: Path, command: str, *options: str, google: str, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "PLANS_FILE": str(ROOMY_PLANS),
        "GEMINI_API_KEY": "sandbox",
        "GEMINI_BASE_URL": google,
        "LOG_LEVEL": "warning",
        **settings,
    }
    words = [sys.executable, "-m", "nanobanana.cli.main", command, *options]
    with data_dir.with_name(f"{command}.log").open("a") as output:
        return subprocess.Popen(words, env=environment, stdout=output, stderr=output)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def ask(url: str, *, key: str, body: dict[str, object]) -> dict[str, object]:
    """One POST, outside of what is measured."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode(), headers)) as response:
        return json.load(response)


def cpu_seconds_of(pid: int) -> float:
    """User and system time of a process and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores {model[1] if model else ''}, Python {sys.version.split()[0]}"


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"The service ended at start:\n{log.read_text()}")
        try:
            with urlopen(f"{url}/readyz"):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"The service is not ready after a minute:\n{log.read_text()}")


def _descendants(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def _name_of(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    for mark, name in (("postgres", "postgres"), ("valkey", "valkey"), ("nanobanana_sandbox", "sandbox")):
        if mark in command.partition("--")[0]:
            return name
    return "supervisor" if " serve " in command else "web"


def _status_mb(pid: int, field: str) -> float:
    match = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


def _pss_mb(pid: int) -> float:
    match = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0
