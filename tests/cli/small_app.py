"""A small application in the real one's place, for tests of what stands around it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def _healthz(request: Request) -> JSONResponse:
    return JSONResponse({})


async def _environment(request: Request) -> JSONResponse:
    return JSONResponse({**os.environ, "pid": os.getpid()})


async def _slow(request: Request) -> JSONResponse:
    await asyncio.sleep(1)
    return JSONResponse({"done": True})


def create_app() -> Starlette:
    return Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/environment", _environment),
            Route("/slow", _slow),
        ]
    )


def create_broken_app() -> Starlette:
    raise SystemExit(7)


def create_unstoppable_app() -> Starlette:
    """Its lifespan never ends, whatever it is told."""

    @asynccontextmanager
    async def forever(app: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    return Starlette(routes=[Route("/healthz", _healthz)], lifespan=forever)


def create_stubborn_app() -> Starlette:
    """The real one, whose work goes on for seconds when it is cancelled."""
    # More than a second of CPU, which the small ones do without.
    from nanobanana import app as real  # noqa: PLC0415
    from nanobanana.domain.generation.maker import Maker  # noqa: PLC0415

    async def make(*_: object, **__: object) -> None:
        until = time.monotonic() + 7
        while (left_s := until - time.monotonic()) > 0:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(left_s)
        raise asyncio.CancelledError

    Maker.make = make  # type: ignore[assignment,method-assign]
    return real.create_app()
