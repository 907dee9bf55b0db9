"""`python -m nanobanana.cli.web_process`: one web process on the socket that the supervisor listens on."""

import argparse
import asyncio
import gc
import math
import os
import socket
from typing import Any

import uvicorn

from nanobanana.cli.bounded_headers import BoundedHeaders
from nanobanana.settings import Settings


def main() -> None:
    options = _parser().parse_args()
    config = uvicorn.Config(
        options.app,
        factory=True,
        loop="uvloop",
        http=BoundedHeaders,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        # Longer than a proxy in front keeps an idle connection: it must never send into one that just closed.
        timeout_keep_alive=75,
        # A little longer than the work gets: whoever waits for work that does not end is still to be told so.
        timeout_graceful_shutdown=math.ceil(Settings().shutdown_grace_s) + 2,
    )
    config.load()
    os.read(options.gate, 1)  # ends when the supervisor closes the other side: the database is ready
    _Server(config).run(sockets=[socket.socket(fileno=options.fd)])


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What lives as long as the process need not be searched for garbage again and again.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The application's work and its callers' connections come to their end together, not one after the other."""
        application: Any = self.config.loaded_app
        drain = getattr(application.state, "drain", None)
        draining = asyncio.create_task(drain()) if drain else None
        await super().shutdown(sockets)
        if draining:
            await draining


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--gate", type=int, required=True)
    parser.add_argument("--app", required=True, help="module:function that makes the application")
    return parser


if __name__ == "__main__":
    main()
