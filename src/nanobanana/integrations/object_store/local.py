"""Pictures in a folder of this machine, each day's in one of its own."""

import asyncio
import os
import re
import stat
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from nanobanana.integrations.object_store.errors import StoreError

_PAGE = 1_000
# Nobody writes at a file for so long.
_WRITTEN_WITHIN_S = 86_400


class LocalFolder:
    """Names are paths below the root.

    obstore writes to `<name>#1` and links that to the name, off Python's lock: with as many threads' steps in Python
    an image cost 1.5 ms more CPU time. The time of change of a picture that is not kept for good is its end, so that
    who serves it knows without asking. One that has passed is for it to ask about: it goes lost when the folder is
    copied, and a picture may have become one for good.
    """

    place: Literal["store"] = "store"

    def __init__(self, root: Path) -> None:
        # Nobody else on this machine may list the names that others cannot guess.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._store = LocalStore(root)

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        """Keeps the picture whole and on the disk, or raises StoreError; a name that is taken stays as it is."""
        is_new = False
        try:
            with suppress(AlreadyExistsError):
                await obstore.put_async(self._store, name, data, mode="create", use_multipart=False)
                is_new = True
            await asyncio.to_thread(_finish, self.file(name), keep_s, is_new=is_new)
        except (BaseError, OSError) as error:
            raise _store_error(error) from None

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self.file(name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _store_error(error) from None

    async def has(self, name: str) -> bool:
        return self.file(name).is_file()

    async def delete(self, names: Sequence[str]) -> None:
        """For good once this returns; a name that is not there is fine. Raises StoreError."""
        try:
            await asyncio.to_thread(_delete, [self.file(name) for name in names])
        except OSError as error:
            raise _store_error(error) from None

    def link(self, name: str, *, expires_at: datetime | None) -> str:
        del expires_at
        return f"/images/{name}"

    @property
    def origin(self) -> None:
        return None

    def file(self, name: str) -> Path:
        return self._root / name

    async def names(self, beginning: str) -> list[str]:
        """Also of what a killed process left half-written."""
        return await asyncio.to_thread(_names, self._root, beginning)

    async def days(self) -> list[str]:
        return await asyncio.to_thread(_days, self._root)

    async def listed(self, day: str) -> AsyncIterator[tuple[str, int]]:
        """A day's names are in memory, their sizes a page at a time; `<name>#1` only when its writer has left it. Raises
        StoreError."""
        try:
            names = await asyncio.to_thread(_names_of_day, self._root, day)
            for start in range(0, len(names), _PAGE):
                for item in await asyncio.to_thread(_with_sizes, self._root, names[start : start + _PAGE]):
                    yield item
        except OSError as error:
            raise _store_error(error) from None

    async def size(self, name: str) -> int | None:
        try:
            return (await asyncio.to_thread(self.file(name).stat)).st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _store_error(error) from None


def _store_error(error: Exception) -> StoreError:
    """What went wrong, without paths: in them are the names that nobody may learn from a log."""
    said = re.sub(r"\S*/\S+", "…", str(error).partition("\n\nDebug source")[0])
    return StoreError(f"{type(error).__name__}: {said}")


def _finish(path: Path, keep_s: int | None, *, is_new: bool) -> None:
    try:
        if keep_s is not None:
            now = time.time()
            os.utime(path, (now, now + keep_s))
        _flush(path)
    except OSError:
        # Who puts it here again would find the name taken, and count on what the disk may have lost.
        if is_new:
            path.unlink(missing_ok=True)
        raise


def _flush(path: Path) -> None:
    """Else a power cut could leave a settled row whose picture is empty, or bring a deleted one back."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _delete(files: Iterable[Path]) -> None:
    """Each folder is flushed once. One that cannot be deleted leaves no others undeleted."""
    folders, failure = set(), None
    for file in files:
        try:
            file.unlink()
            folders.add(file.parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            failure = error
    for folder in folders:
        _flush(folder)
    if failure:
        raise failure


def _names(root: Path, beginning: str) -> list[str]:
    return [str(file.relative_to(root)) for file in root.glob(f"{beginning}*")]


def _days(root: Path) -> list[str]:
    folders = root.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]")
    return sorted(str(folder.relative_to(root)) for folder in folders)


def _names_of_day(root: Path, day: str) -> list[str]:
    try:
        names = os.listdir(root / day)  # noqa: PTH208  a path of each would take a multiple of the memory
        return sorted(f"{day}/{name}" for name in names)
    except FileNotFoundError:
        return []


def _with_sizes(root: Path, names: Sequence[str]) -> list[tuple[str, int]]:
    """Of what is a file, and still there."""
    found = []
    for name in names:
        with suppress(FileNotFoundError):
            status = os.lstat(root / name)
            if stat.S_ISREG(status.st_mode) and not ("#" in name and _is_written(status)):
                found.append((name, status.st_size))
    return found


def _is_written(status: os.stat_result) -> bool:
    """By the clock alone: the time of change may be a picture's end."""
    return time.time() - status.st_ctime < _WRITTEN_WITHIN_S
