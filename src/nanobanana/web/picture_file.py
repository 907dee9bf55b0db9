"""A file of the local store as an answer, at less than half of what FileResponse takes for it.

That goes to a thread to open the file, for each 64 kB of it and to close it, beside a task that waits for the caller to
hang up. Here the file is sent whole, as long as few bytes are on their way so; and what the system has in memory is read
without a thread.
"""

import asyncio
import os
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from nanobanana.errors import NotFoundError

# Of one process. What callers have not taken yet is in memory, and slow ones take their time.
_BYTES_ON_THEIR_WAY = 64 * 1024 * 1024
_LARGEST = 4 * 1024 * 1024

# Linux alone can be asked to read only what needs no waiting.
_NO_WAITING = getattr(os, "RWF_NOWAIT", None)


class PictureFile(FileResponse):
    _on_their_way = 0

    def __init__(self, file: Path, found: os.stat_result, headers: dict[str, str]) -> None:
        super().__init__(file, stat_result=found, headers=headers)
        self._file = file
        self._size = found.st_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_part = any(name == b"range" for name, _value in scope["headers"])
        has_room = self._size <= min(_LARGEST, _BYTES_ON_THEIR_WAY - PictureFile._on_their_way)
        if scope["method"] != "GET" or is_part or not has_room:
            await super().__call__(scope, receive, send)
            return
        PictureFile._on_their_way += self._size
        try:
            await self._send_whole(send)
        finally:
            PictureFile._on_their_way -= self._size

    async def _send_whole(self, send: Send) -> None:
        try:
            data = _in_memory(self._file, self._size)
            if data is None:
                data = await asyncio.to_thread(self._file.read_bytes)
        except FileNotFoundError:  # deleted a moment ago
            raise NotFoundError("There is no such image.") from None
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": data, "more_body": True})
        # The server takes this once the caller has taken most of what was before.
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _in_memory(file: Path, size: int) -> bytes | bytearray | None:
    """None for what the disk must be waited for, as far as the system tells. Raises FileNotFoundError."""
    if _NO_WAITING is None:
        return None
    data = bytearray(size)
    with file.open("rb", buffering=0) as opened:
        try:
            read = os.preadv(opened.fileno(), [data], 0, _NO_WAITING)
        except OSError:  # nothing of it is in memory, or this file system cannot tell
            return None
    return data if read == size else None
