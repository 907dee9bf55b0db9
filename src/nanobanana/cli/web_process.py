"""`python -m nanobanana.cli.web_process`: one web process on the socket that the supervisor listens on."""

import argparse
import math
import os
import socket

import uvicorn

from nanobanana.settings import Settings


def main() -> None:
    options = _parser().parse_args()
    config = uvicorn.Config(
        options.app,
        factory=True,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        # Longer than a proxy in front keeps an idle connection: it must never send into one that just closed.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=math.ceil(Settings().shutdown_grace_s),
    )
    config.load()
    os.read(options.gate, 1)  # ends when the supervisor closes the other side: the database is ready
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=options.fd)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--gate", type=int, required=True)
    parser.add_argument("--app", required=True, help="module:function that makes the application")
    return parser


if __name__ == "__main__":
    main()
