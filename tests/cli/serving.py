"""Runs `serve` as a process of its own, with the real application or with a small one of the tests."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from tests.secrecy import watch

# An operator's own settings would change what the tests see.
CLEAN = {
    name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH", "TMPDIR")
}


ROOMY_PLANS = Path(__file__).parents[1] / "roomy_plans.toml"


class Service:
    def __init__(self, process: subprocess.Popen[str], data_dir: Path) -> None:
        assert process.stdout
        self.process = process
        self.data_dir = data_dir
        self._output = process.stdout
        self.said = ""
        self.announced = ""
        # All the time: a full pipe would hold it up.
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_until_ready(self) -> None:
        while "curl" not in self.said:
            assert self._reader.is_alive(), f"serve ended with {self.process.wait()}: {self.said}"
            time.sleep(0.01)
        self.announced = self.said

    @property
    def url(self) -> str:
        found = re.search(r"http://\S+", self.said)
        assert found
        return found.group()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def web_processes(self) -> set[int]:
        return {child.pid for child in self.family() if _runs(child, "nanobanana.cli.web_process")}

    def postmasters(self) -> set[int]:
        children = psutil.Process(self.process.pid).children()
        return {child.pid for child in children if _runs(child, "-D")}

    def finish(self) -> int:
        """Once it has ended, and has been heard out."""
        status = self.process.wait(timeout=30)
        self._reader.join(timeout=10)
        assert not self._reader.is_alive(), "a process that serve started outlives it"
        return status

    def _read(self) -> None:
        for line in self._output:
            self.said += line


@contextmanager
def serving(
    data_dir: Path,
    *,
    factory: str | None = "create_app",
    workers: int = 1,
    ready: bool = True,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Service]:
    """`factory` makes the application and is one of `small_app`; None for the real one."""
    small = ["tests.cli.serve_small_app", factory or "", str(workers)]
    real = ["nanobanana.cli.main", "serve", "--port", "0", "--workers", str(workers)]
    command = [sys.executable, "-m", *(small if factory else real)]
    environment = {**CLEAN, "DATA_DIR": str(data_dir), "PLANS_FILE": str(ROOMY_PLANS), **settings}
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        service = Service(process, data_dir)
        try:
            if ready:
                service.wait_until_ready()
            yield service
        finally:
            process.terminate()
            service.finish()
            # The announcement shows the key of the development account.
            watch.saw_written(service.said.removeprefix(service.announced), by="serve")
            watch.saw_logs(data_dir)


def ended(processes: list[psutil.Process], *, within_s: float) -> bool:
    """Whether all of them are gone; one that only waits to be noticed by its parent is."""
    _, left = psutil.wait_procs(processes, timeout=within_s)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in left)


def _runs(process: psutil.Process, word: str) -> bool:
    try:
        return word in process.cmdline()
    except psutil.NoSuchProcess:  # or a zombie, which is one
        return False
