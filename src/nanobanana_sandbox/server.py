"""Runs the app under uvicorn, with each connection's transport in reach so that answers can be reset or cut."""

import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from nanobanana_sandbox.answers import TRANSPORT
from nanobanana_sandbox.app import create_app
from nanobanana_sandbox.config import SandboxConfig

# A thousand callers may knock in the same instant.
BACKLOG = 4096


class _Protocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {TRANSPORT: self.transport}
        self.scope["extensions"] = extensions


def create_server(config: SandboxConfig) -> uvicorn.Server:
    """Return a server for `server.serve(sockets=[…])` or `server.run(sockets=[…])`."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            http=_Protocol,
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), backlog=BACKLOG)
