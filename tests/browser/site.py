"""The application on a socket, in the loop of the tests: a process of its own would be six seconds of CPU. While other
tests run their loops it stands still, so that nothing they patch reaches it."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from nanobanana.app import create_app
from nanobanana.cli.bounded_headers import BoundedHeaders
from nanobanana.services import Services
from nanobanana.settings import Settings


@dataclass(frozen=True)
class Site:
    url: str
    database_url: str
    services: Services


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are pytest's."""
        yield


@asynccontextmanager
async def running_site(
    database_url: str, sandbox_url: str, data_dir: Path, **more: Any
) -> AsyncIterator[Site]:
    """`more`: settings."""
    # Named as TCP, for asyncio to send without waiting to have more.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(
            Settings(
                data_dir=data_dir,
                database_url=database_url,
                redis_url=os.environ["TEST_REDIS_URL"],
                sandbox_url=sandbox_url,
                public_url=url,
                secret_key=f"a secret of the browser's tests {secrets.token_hex(8)}",
                throttle_scale=1000,
                webhook_allowed_networks=("127.0.0.0/8",),
                log_level="debug",
                shutdown_grace_s=5,
                **more,
            )
        )
        server = _Server(
            uvicorn.Config(app, http=BoundedHeaders, ws="none", log_config=None, server_header=False)
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not (server.started or serving.done()):
            await asyncio.sleep(0.01)
        yield Site(url=url, database_url=database_url, services=app.state.services)
        server.should_exit = True
        await serving
