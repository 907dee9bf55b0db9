"""Pictures in a folder of this machine."""

import asyncio
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

# Between making a partial file and locking it a writer needs far less.
_LOCKED_AFTER_S = 5


class LocalFolder:
    """`<root>/ab/abcdef….png`, spread over sub-folders by the first two characters of the name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._partial = root / ".partial"
        self._partial.mkdir(parents=True, exist_ok=True)

    async def put(self, name: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, name, data)

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self.file(name).read_bytes)
        except FileNotFoundError:
            return None

    def file(self, name: str) -> Path:
        return self._root / name[:2] / name

    async def discard_leftovers(self) -> None:
        await asyncio.to_thread(self._discard_partial_files)

    def _write(self, name: str, data: bytes) -> None:
        partial = self._partial / f"{name}.{os.urandom(4).hex()}"
        final = self.file(name)
        try:
            with partial.open("xb", buffering=0) as file:
                # Falls with the process, however it ends: an unlocked partial file has lost its writer.
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(data)
                # Else a power cut could leave a settled row whose picture is empty.
                os.fdatasync(file.fileno())
            _link(partial, final)
        finally:
            partial.unlink(missing_ok=True)

    def _discard_partial_files(self) -> None:
        for partial in self._partial.iterdir():
            with suppress(FileNotFoundError, BlockingIOError), partial.open("rb") as file:
                if time.time() - partial.stat().st_mtime > _LOCKED_AFTER_S:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    partial.unlink()


def _link(partial: Path, final: Path) -> None:
    """A link, unlike a rename, never replaces: whoever comes second leaves the first picture alone."""
    with suppress(FileExistsError):
        try:
            os.link(partial, final)
        except FileNotFoundError:
            final.parent.mkdir(exist_ok=True)
            os.link(partial, final)
