"""Where embedded servers may live, so that the user PostgreSQL runs as can reach it.

PostgreSQL refuses to run as root, so under root it runs as `nobody`. No directory that exists is ever opened wider
for it: where `nobody` cannot pass, the cluster lives under /var/lib/nanobanana and DATA_DIR points at it.
"""

import os
import pwd
import stat
import tempfile
from pathlib import Path

from nanobanana.storage.embedded.errors import EmbeddedServerError
from nanobanana.storage.embedded.process import Identity

SHARED = Path("/var/lib/nanobanana")
_LONGEST_SOCKET_PATH = 100  # the kernels' limits are 104 (macOS) and 108 (Linux)


def make_data_dir(path: Path) -> Path:
    """DATA_DIR, absolute. A new one can be passed through by `nobody` under root, and is closed otherwise."""
    path = path.absolute()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make_directory(path, mode=_passable())
    return path


def make_directory(path: Path, *, mode: int, owner: Identity | None = None) -> Path:
    """Leaves an existing directory exactly as it is."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return path
    if owner:
        os.chown(path, owner.uid, owner.gid)
    path.chmod(mode)
    return path


def unprivileged_identity() -> Identity | None:
    """Who PostgreSQL runs as in a new cluster; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Identity(nobody.pw_uid, nobody.pw_gid)


def cluster_home(data_dir: Path) -> Path:
    """The directory that holds the cluster: DATA_DIR/postgres, or where that points."""
    home = data_dir / "postgres"
    identity = unprivileged_identity()
    if home.is_symlink() and not home.exists():
        raise EmbeddedServerError(
            f"The database of {data_dir} is gone: {home} points at {home.readlink()}, which does not exist. "
            "Bring it back, or remove the link to begin with an empty database."
        )
    if not home.exists():
        if identity and barrier(data_dir, identity):
            _link_to_shared(home)
        else:
            make_directory(home, mode=_passable())
    return home.resolve()


def barrier(path: Path, identity: Identity) -> Path | None:
    """The first directory on the way to `path`, itself included, that `identity` may not pass through."""
    path = path.resolve()
    for directory in [*reversed(path.parents), path]:
        status = directory.stat()
        if status.st_uid == identity.uid:
            needed = stat.S_IXUSR
        elif status.st_gid == identity.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return directory
    return None


def socket_directory(home: Path, name: str, *, owner: Identity | None = None) -> Path:
    """A closed directory for the socket `name`: below `home`, or below /tmp when that path cannot be used.

    It may be too long, or hold a comma, which PostgreSQL's clients take for the end of a first address.
    """
    directory = home / "run"
    if len(os.fsencode(directory / name)) <= _LONGEST_SOCKET_PATH and "," not in str(directory):
        return make_directory(directory, mode=0o700, owner=owner)
    directory = Path(tempfile.mkdtemp(prefix="nanobanana-", dir="/tmp"))
    if owner:
        os.chown(directory, owner.uid, owner.gid)
    return directory


def _passable() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700


def _link_to_shared(home: Path) -> None:
    make_directory(SHARED, mode=0o711)
    target = Path(tempfile.mkdtemp(prefix="cluster-", dir=SHARED))
    target.chmod(0o711)
    try:
        home.symlink_to(target)
    except FileExistsError:  # another start was quicker
        target.rmdir()
