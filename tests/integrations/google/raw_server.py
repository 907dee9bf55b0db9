"""A server that answers every request with given bytes, keeps what it received, and can be held back."""

import asyncio
import base64
import json
import re
from types import TracebackType
from typing import Self

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4000


def picture_answer(data: bytes = JPEG) -> bytes:
    part = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(data).decode()}}
    return json.dumps({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}).encode()


def http_answer(body: bytes, *, status: int = 200, headers: str = "", length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    return f"HTTP/1.1 {status} Whatever\r\ncontent-length: {length}\r\n{headers}\r\n".encode() + body


class RawServer:
    """`answer` is sent for each request; `close_after` then closes the connection. Clear `let_go` to hold answers back."""

    def __init__(self) -> None:
        self.answer = http_answer(picture_answer())
        self.close_after = False
        self.requests: list[bytes] = []
        self.connections = 0
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.connection_ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.requests.append(head + body)
                await self.let_go.wait()
                writer.write(self.answer)
                await writer.drain()
                if self.close_after:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connection_ended.set()
            writer.close()
