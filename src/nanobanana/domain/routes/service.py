"""The ways to Google, in the order of use."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nanobanana.domain.routes.errors import NoRouteError
from nanobanana.domain.routes.types import Served
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.errors import (
    ConnectionFailedError,
    QuotaExhaustedError,
    UnavailableError,
)
from nanobanana.integrations.google.types import ImageRequest

_ASK_AGAIN_S = 1


class Routes:
    def __init__(self, ways: Sequence[GoogleImages], *, calls_at_once: int) -> None:
        self._ways = ways
        self._calls_at_once = calls_at_once
        self._calls = 0

    @asynccontextmanager
    async def generate(self, request: ImageRequest) -> AsyncIterator[Served]:
        """One picture; a slot for its bytes is held until the block ends. Raises GoogleError, or NoRouteError when
        no way serves at the moment and nothing was charged."""
        self._calls += 1
        try:
            async with self._ways[0].generate(request) as image:
                yield Served(image=image, lost_attempts=0)
        except (UnavailableError, ConnectionFailedError, QuotaExhaustedError) as error:
            raise NoRouteError(retry_after_s=_ASK_AGAIN_S) from error
        finally:
            self._calls -= 1

    def room(self) -> int:
        """How many more calls could begin now; 0 while no route can be used."""
        return max(0, self._calls_at_once - self._calls)
