import subprocess
import sys
from pathlib import Path

from tests.cli.serving import CLEAN, Service


def upgrade(data_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nanobanana.cli.main", "db", "upgrade"]
    return subprocess.run(
        command, env={**CLEAN, "DATA_DIR": str(data_dir)}, capture_output=True, text=True, check=False
    )


def test_upgrade_starts_the_embedded_database_and_stops_it_again(data_dir: Path) -> None:
    done = upgrade(data_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (data_dir / "postgres/data/postmaster.pid").exists()


def test_upgrade_joins_the_servers_of_a_running_service(shared_service: Service) -> None:
    done = upgrade(shared_service.data_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert shared_service.get("/healthz") == {}
