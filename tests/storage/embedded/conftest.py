import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every user may pass through: pytest's own are closed to `nobody`."""
    directory = Path(tempfile.mkdtemp(prefix="nb-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def closed_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory that its owner alone may enter. Removes what a cluster below it kept elsewhere."""
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    yield directory
    for link in directory.rglob("postgres"):
        if link.is_symlink() and link.exists():
            shutil.rmtree(link.resolve())
