"""Pictures of the sandbox for whoever only looks: no account, no row, nothing stored.

The ticket is all there is of one: whoever shows it has the picture drawn, the same each time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from nanobanana.domain.accounts.throttle import Throttle
from nanobanana.domain.generation import magic_words
from nanobanana.domain.generation import rules as generation_rules
from nanobanana.domain.generation.errors import UpstreamUnavailableError, error_of
from nanobanana.domain.generation.types import Order
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import Picture
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.domain.routes.service import Routes
from nanobanana.domain.tryout import rules
from nanobanana.domain.tryout.types import Attempt, Ticket
from nanobanana.errors import NanoBananaError, NotFoundError, OverloadedError
from nanobanana.integrations.google.types import ImageRequest
from nanobanana.kit.addresses import IPAddress

_LIFETIME_S = 600

# By each process, so that visitors are in nobody's way who has a key.
_AT_ONCE = 2
_PATIENCE_S = 5
_LONGEST_DRAWING_S = 20
# Test keys may ask for two minutes.
_SLOWEST_S = 8


class Tryout:
    def __init__(
        self,
        *,
        routes: Routes,
        images: Images,
        throttle: Throttle,
        secrets: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`routes`: to the sandbox. The first of `secrets` signs, all of them verify."""
        self._routes = routes
        self._images = images
        self._throttle = throttle
        self._secrets = secrets
        self._clock = clock
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def attempt(self, order: Order, *, address: IPAddress) -> Attempt:
        """Raises RateLimitedError. Words in the prompt bring about what they do with a test key."""
        left = await self._throttle.take("try", address=address)
        ends_at = int(self._clock()) + _LIFETIME_S
        return Attempt(
            outcome=_asked_failure(order) or rules.ticket(order, ends_at=ends_at, secret=self._secrets[0]),
            left=left,
        )

    def left_s(self, ticket: Ticket) -> int:
        return max(0, int(ticket.ends_at - self._clock()))

    async def draw(self, order: Order, ticket: Ticket, *, address: IPAddress) -> Picture:
        """Raises NotFoundError without a good ticket, RateLimitedError, OverloadedError, UpstreamUnavailableError."""
        if not rules.is_good(ticket, order, secrets=self._secrets, now=self._clock()):
            raise NotFoundError("This picture can no longer be looked at. Draw it once more.")
        await self._throttle.take("try_picture", address=address)
        await asyncio.sleep(min(magic_words.delay_s(order.prompt), _SLOWEST_S))
        async with self._place():
            try:
                async with asyncio.timeout(_LONGEST_DRAWING_S):
                    return await self._drawn(order)
            except TimeoutError:
                raise UpstreamUnavailableError("Drawing this took too long.") from None
            except (NoRouteError, NotServedError, UnusablePictureError) as error:
                outcome = generation_rules.explain(error)
                raise error_of(outcome.error_code, outcome.error_message) from None

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._places.acquire()
        except TimeoutError:
            raise OverloadedError from None
        try:
            yield
        finally:
            self._places.release()

    async def _drawn(self, order: Order) -> Picture:
        width, height = (int(side) for side in order.size.split("x"))
        prompt = generation_rules.directed(order.prompt, order.style)
        request = ImageRequest(prompt=prompt, width=width, height=height)
        deadline = time.time() + _LONGEST_DRAWING_S
        async with self._routes.generate(request, deadline=deadline, note_loss=_nothing) as served:
            return await self._images.fit(
                served.image.data, width=width, height=height, format=order.format, watermark="TEST"
            )


def _asked_failure(order: Order) -> NanoBananaError | None:
    if refusal := magic_words.refusal(order.prompt):
        return refusal
    outcome = magic_words.outcome(order.prompt)
    return error_of(outcome.error_code, outcome.error_message) if outcome else None


async def _nothing() -> None:
    """No row is there to know of what Google may have charged; the sandbox charges nothing."""
