import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nanobanana.settings import Settings
from nanobanana.storage.embedded.servers import running_servers


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every user may pass through: pytest's own are closed to `nobody`."""
    directory = Path(tempfile.mkdtemp(prefix="nb-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def used_data_dir() -> Iterator[Path]:
    """Of a service that has ended."""
    directory = Path(tempfile.mkdtemp(prefix="nb-"))
    directory.chmod(0o711)
    with running_servers(Settings(data_dir=directory / "data")):
        pass
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture
def data_dir(open_dir: Path, used_data_dir: Path) -> Path:
    """A copy of it, for tests that are not about the making of a cluster, which is most of their time."""
    subprocess.run(["cp", "-a", used_data_dir, open_dir / "data"], check=True)
    return open_dir / "data"


@pytest.fixture
def closed_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory that its owner alone may enter. Removes what a cluster below it kept elsewhere."""
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    yield directory
    for link in directory.rglob("postgres"):
        if link.is_symlink() and link.exists():
            shutil.rmtree(link.resolve())
