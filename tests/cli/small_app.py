"""A small application in the real one's place, for tests of what stands around it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
