"""Stands before the S3 of the run, and is killed and stopped in its place: that one keeps its objects in memory alone.

`python -m tests.chaos.s3_door DESCRIPTOR PORT` forwards what comes to the listening socket.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class S3Door:
    """Each connection goes on to the server. Once shut, connections are refused, and those there are break."""

    def __init__(self) -> None:
        self._port = 0
        self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.shut()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        server = urlsplit(os.environ["TEST_S3_URL"])
        with socket.create_server(("127.0.0.1", self._port), backlog=2048) as listening:
            self._port = listening.getsockname()[1]
            descriptor = listening.fileno()
            command = [sys.executable, "-m", "tests.chaos.s3_door", str(descriptor), str(server.port)]
            self._process = subprocess.Popen(command, pass_fds=[descriptor])

    def shut(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """kill -STOP: connections are taken, and nothing is said."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)


async def _forward(descriptor: int, port: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, here), _copy(there, writer))

    server = await asyncio.start_server(serve, sock=socket.socket(fileno=descriptor))
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_forward(int(sys.argv[1]), int(sys.argv[2])))
