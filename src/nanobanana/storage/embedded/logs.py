"""The embedded servers' own logs, DATA_DIR/logs/*.log, kept from growing without end."""

import os
from pathlib import Path

_LARGEST_BYTES = 5 * 1024 * 1024


def open_log(data_dir: Path, name: str) -> int:
    directory = data_dir / "logs"
    directory.mkdir(mode=0o700, exist_ok=True)
    # Appending, so that a server goes on at the beginning when its log is cut.
    return os.open(directory / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def cut_long_logs(data_dir: Path) -> None:
    for log in (data_dir / "logs").glob("*.log"):
        if log.stat().st_size > _LARGEST_BYTES:
            os.truncate(log, 0)


def last_words(data_dir: Path, name: str) -> str:
    log = data_dir / "logs" / f"{name}.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
