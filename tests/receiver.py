"""A server that webhooks are sent to, as good or bad as a test wants it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOOD = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


def answering(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


class Receiver:
    """`answer` gives the bytes for each request; None never answers. After the bytes the connection is closed."""

    url: str

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], bytes | None] = lambda _: GOOD
        self.at_once = self.most_at_once = 0
        self._news = asyncio.Condition()

    def answers(self, answer: bytes | None) -> None:
        self.answer = lambda _: answer

    async def wait_for(self, count: int, *, within_s: float = 20) -> list[Received]:
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            received = await _read(reader)
            self.received.append(received)
            async with self._news:
                self._news.notify_all()
            answer = self.answer(received)
            if answer is None:
                await reader.read()  # until the other side gives up
            else:
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Received(path=first.split()[1], headers=headers, body=body)


@asynccontextmanager
async def receiving(*, tls: Path | None = None) -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver and its URL; with the certificate and key of a file over TLS."""
    receiver = Receiver()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
    if tls and context:
        context.load_cert_chain(tls)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    try:
        yield receiver, receiver.url
    finally:
        server.close()
