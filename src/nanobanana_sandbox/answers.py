"""Answers as bytes, and how they go out: whole, late, halved or not at all."""

import asyncio
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from nanobanana_sandbox.plan import Wire

TRANSPORT = "nanobanana_sandbox.transport"
_JSON = "application/json; charset=UTF-8"
_HANG_S = 300
_BLOB_MARK = "\ue000sandbox-blob\ue000"


@dataclass(frozen=True)
class Blob:
    """Base64 text that is sent as the same bytes object to every caller, never copied into a body."""

    base64: bytes


def json_segments(document: Any, *, pretty: bool = True) -> list[bytes]:
    blobs: list[bytes] = []

    def mark(value: Any) -> str:
        if not isinstance(value, Blob):
            raise TypeError(type(value).__name__)
        blobs.append(value.base64)
        return _BLOB_MARK

    layout = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if pretty else 0
    text = orjson.dumps(document, default=mark, option=layout | orjson.OPT_PASSTHROUGH_DATACLASS)
    first, *others = text.split(_BLOB_MARK.encode())
    return [first, *(piece for pair in zip(blobs, others, strict=True) for piece in pair)]


@dataclass
class Answer(Response):
    """A response in segments. `started` is when the call came in, on the monotonic clock."""

    segments: Sequence[bytes]
    status_code: int = 200
    content_type: str = _JSON
    wire: Wire = Wire.WHOLE
    started: float = field(default_factory=time.monotonic)
    background: None = None

    @classmethod
    def json(cls, document: Any, **more: Any) -> "Answer":
        return cls(json_segments(document), **more)

    @classmethod
    def html(cls, page: bytes, **more: Any) -> "Answer":
        return cls([page], content_type="text/html; charset=UTF-8", **more)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.wire is Wire.HANG:
            await _until_the_caller_leaves(receive)
            await _close(scope, receive)
        elif self.wire is Wire.RESET:
            await _reset(scope, receive)
        elif self.wire is Wire.TRUNCATED_JSON:
            self.segments = self._first_half()
            await self._send_whole(send)
        elif self.wire is Wire.WHOLE:
            await self._send_whole(send)
        else:
            await self._send_half(scope, receive, send)

    async def _send_whole(self, send: Send) -> None:
        await send(self._head())
        for segment in self.segments:
            await send({"type": "http.response.body", "body": segment, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _send_half(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(self._head())
        for segment in self._first_half():
            await send({"type": "http.response.body", "body": segment, "more_body": True})
        if self.wire is Wire.STALL:
            await _until_the_caller_leaves(receive)
        elif self.wire is Wire.RESET_MID_BODY:
            # A reset overtakes what the kernel has not handed over yet.
            await asyncio.sleep(0.05)
            await _reset(scope, receive)
        await _close(scope, receive)

    def _head(self) -> Message:
        milliseconds = round((time.monotonic() - self.started) * 1000)
        headers = {
            "content-type": self.content_type,
            "content-length": str(sum(map(len, self.segments))),
            "vary": "X-Origin, Referer",
            "server": "scaffolding on HTTPServer2",
            "server-timing": f"gfet4t7; dur={milliseconds}",
        }
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        return {"type": "http.response.start", "status": self.status_code, "headers": pairs}

    def _first_half(self) -> list[bytes]:
        body = b"".join(self.segments)
        return [body[: len(body) // 2]]


async def _until_the_caller_leaves(receive: Receive) -> None:
    async def disconnect() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(disconnect(), _HANG_S)
    except TimeoutError:
        return


async def _close(scope: Scope, receive: Receive) -> None:
    scope["extensions"][TRANSPORT].close()
    # uvicorn calls an answer that ends before the connection does an error of ours.
    await _until_the_caller_leaves(receive)


async def _reset(scope: Scope, receive: Receive) -> None:
    transport = scope["extensions"][TRANSPORT]
    if not transport.is_closing():  # the caller may have left meanwhile
        # Linger 0 makes the kernel send RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
    await _until_the_caller_leaves(receive)
