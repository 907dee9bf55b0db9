"""`python -m nanobanana.cli.web_process`: one web process on the socket that the supervisor listens on."""

import argparse
import gc
import os
import socket
from typing import Any

import uvicorn

from nanobanana.cli.bounded_headers import BoundedHeaders
from nanobanana.shutdown import LAST_ANSWERS_S


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
        timeout_graceful_shutdown=LAST_ANSWERS_S,
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
        """While the application's work comes to its end, callers are still answered: /readyz says that we are going,
        and orders are taken, for others to make. Then no connection has anything to wait for."""
        application: Any = self.config.loaded_app
        if drain := getattr(application.state, "drain", None):
            await drain()
        await super().shutdown(sockets)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--gate", type=int, required=True)
    parser.add_argument("--app", required=True, help="module:function that makes the application")
    return parser


if __name__ == "__main__":
    main()
