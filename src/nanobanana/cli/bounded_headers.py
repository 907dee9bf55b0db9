"""uvicorn's HTTP protocol with bounds on the head of a request, which the parser itself does not have."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Several times what browsers and proxies send. uvicorn reads at most 256 KiB at a time, so that is what may come before.
LIMIT = 64 * 1024
# From the connection to the end of the first head; a client that trickles must not hold its place for ever.
PATIENCE_S = 30

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    b'{"error":{"message":"The headers are larger than 64 KiB.","type":"invalid_request_error",'
    b'"code":"headers_too_large","param":null,"request_id":null,"retryable":false,"charged":false}}'
)


class BoundedHeaders(HttpToolsProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = True
        self._impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._impatience = self.loop.call_later(PATIENCE_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LIMIT and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._be_patient()
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        self._in_head = True
        super().on_message_complete()

    def _be_patient(self) -> None:
        if self._impatience:
            self._impatience.cancel()
            self._impatience = None
