"""Runs holder.py as a process of its own, to be killed or joined."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class Holder:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.process = process
        self.database_url, self.redis_url = json.loads(process.stdout.readline())

    def servers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def holding(data_dir: Path) -> Iterator[Holder]:
    command = [sys.executable, "-m", "tests.storage.embedded.holder", str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Holder(process)
