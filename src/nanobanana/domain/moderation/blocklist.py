"""The operator's word list as it stands in its file, read anew when the file changes."""

import asyncio
from pathlib import Path

import structlog

from nanobanana.domain.moderation.rules import Terms, read_terms
from nanobanana.domain.plans.errors import UnusableFileError

log = structlog.get_logger()


class Blocklist:
    def __init__(self, file: Path | None) -> None:
        """Without a file nothing is on the list. Raises UnusableFileError."""
        self._file = file
        self._version = _version(file) if file else None
        self._terms = read_terms(file) if file else Terms([])

    def matches(self, prompt: str) -> bool:
        return self._terms.are_in(prompt)

    async def reread(self) -> None:
        """If it has changed. A list that cannot be used changes nothing: the last good one holds."""
        if self._file is None:
            return
        version = await asyncio.to_thread(_version, self._file)
        if version == self._version:
            return
        self._version = version
        try:
            self._terms = await asyncio.to_thread(read_terms, self._file)
        except UnusableFileError as error:
            log.warning("blocklist_not_read", problem=error.message)
        else:
            log.info("blocklist_read", terms=len(self._terms))


def _version(file: Path) -> tuple[int, ...] | None:
    """None when it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
