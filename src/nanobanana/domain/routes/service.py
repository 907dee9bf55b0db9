"""Asks Google by the best route there is, and again where that may help."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from nanobanana.domain.routes import rules
from nanobanana.domain.routes.breakers import Breakers, Call
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.domain.routes.repository import BreakersInRedis
from nanobanana.domain.routes.route import Route, Target
from nanobanana.domain.routes.types import RouteHealth, Served
from nanobanana.integrations.google.errors import GoogleError, ModelGoneError
from nanobanana.integrations.google.types import GoogleImage, ImageRequest
from nanobanana.metrics import GOOGLE_CALLS, GOOGLE_RETRIES

# What a caller is told at least and at most: nobody knows when an operator mends an account.
_LEAST_WAIT_S, _LONGEST_WAIT_S = 1.0, 300.0

NoteLoss = Callable[[], Awaitable[None]]


class Routes:
    """`routes` in the order of use, `models` in the order of choice: a model is asked by every route before the next
    model is asked by any."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        models: Sequence[str],
        shared: BreakersInRedis | None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._routes = routes
        self._targets = [[route.targets[model] for route in routes] for model in models]
        self._breakers = Breakers(routes, shared=shared, clock=clock, chance=chance)
        self._clock = clock
        self._chance = chance

    @asynccontextmanager
    async def generate(
        self, request: ImageRequest, *, deadline: float, note_loss: NoteLoss, lost_before: int = 0
    ) -> AsyncIterator[Served]:
        """One picture; a slot for its bytes is held until the block ends. No call to Google begins after `deadline`,
        in seconds since the epoch. `lost_before`: how often Google may have charged for this picture already;
        `note_loss` is called when it may have done so again, before it is asked once more. Raises NoRouteError when the request may wait for better times, else
        NotServedError; their docstrings are the contract."""
        async with AsyncExitStack() as block:
            yield await self._serve(request, deadline, note_loss, lost_before, block)

    def room(self) -> int:
        """How many more calls could begin now; 0 while no route can be used. A model that is to be probed counts as
        one, and after its reopening at first for little more."""
        now = self._clock()
        return sum(route.room(now) for route in self._routes)

    def health(self) -> list[RouteHealth]:
        """Of each model, in the order of choice, by each route, in the order of use."""
        return [_health_of(target) for targets in self._targets for target in targets]

    async def exchange(self) -> bool:
        """This process and the others learn of each other what they know, every second. False without Redis."""
        return await self._breakers.exchange()

    async def reopen(self, name: str) -> bool:
        """At an operator's word: the route is asked again at once, by all processes. False without Redis."""
        (route,) = (route for route in self._routes if route.name == name)
        return await self._breakers.reopen(route)

    async def _serve(
        self,
        request: ImageRequest,
        deadline: float,
        note_loss: NoteLoss,
        lost_before: int,
        block: AsyncExitStack,
    ) -> Served:
        tries = _Tries(lost_before)
        while target := self._choose(tries):
            if not await self._may_begin(target, tries, deadline):
                break
            call = await self._breakers.begin(target) if target.is_usable(self._clock()) else None
            if call is None:
                continue  # since it was chosen: others were quicker
            try:
                image = await self._ask(call, request, block)
            except GoogleError as error:
                tries.note(target, error)
                goes_on = rules.may_go_on(error, calls=tries.calls, lost_attempts=tries.lost_attempts)
                if error.maybe_charged and (goes_on or tries.may_wait):
                    await note_loss()
                if not goes_on:
                    break
                continue
            return Served(image=image, lost_attempts=tries.lost_attempts - lost_before)
        raise self._failure(tries)

    def _choose(self, tries: "_Tries") -> Target | None:
        """Of the first model that can be asked at all: the route that was asked least for this picture."""
        now = self._clock()
        for targets in self._targets:
            usable = [target for target in targets if target.is_usable(now) and target not in tries.hopeless]
            if usable:
                return min(usable, key=tries.asked.count) if tries.asked else usable[0]
        return None

    async def _may_begin(self, target: Target, tries: "_Tries", deadline: float) -> bool:
        """Takes a retry of the route's budget, and the time before it. A model that is gone costs Google nothing, and
        going elsewhere from a route that cannot serve adds nothing to the load of that one: both are free."""
        error, now = tries.error, self._clock()
        if error is None:
            target.route.budget.note_call()
            return now <= deadline
        again = target in tries.asked
        if (again or error.fault != "route") and not target.route.budget.take():
            return False
        GOOGLE_RETRIES.labels(target.route.name, error.code).inc()
        pause_s = self._pause_s(target, tries) if again else 0.0
        if now + pause_s > deadline:
            return False
        await asyncio.sleep(pause_s)
        return True

    def _pause_s(self, target: Target, tries: "_Tries") -> float:
        """What another route was advised means nothing to this one."""
        advice_s = tries.error.retry_after_s if tries.error and target is tries.asked[-1] else None
        return rules.pause_s(calls=tries.calls, chance=self._chance(), advice_s=advice_s)

    async def _ask(self, call: Call, request: ImageRequest, block: AsyncExitStack) -> GoogleImage:
        target = call.target
        route = target.route
        target.calls += 1
        try:
            image = await block.enter_async_context(target.images.generate(request))
        except GoogleError as error:
            GOOGLE_CALLS.labels(route.name, error.code).inc()
            if error.fault == "request":
                await self._breakers.answered(call)
            else:
                await self._breakers.failed(call, error)
            raise
        except BaseException:
            self._breakers.give_up(call)
            raise
        finally:
            target.calls -= 1
        GOOGLE_CALLS.labels(route.name, "image").inc()
        await self._breakers.answered(call)
        return image

    def _failure(self, tries: "_Tries") -> NoRouteError | NotServedError:
        retry_after_s = self._retry_after_s()
        error = tries.error
        if error is None or tries.may_wait:
            return NoRouteError(retry_after_s=retry_after_s, cause=error)
        lost_attempts = tries.lost_attempts - tries.lost_before
        return NotServedError(error, lost_attempts=lost_attempts, retry_after_s=retry_after_s)

    def _retry_after_s(self) -> float:
        now = self._clock()
        opening = min(
            0.0 if target.breaker.state == "operational" else target.breaker.until - now
            for targets in self._targets
            for target in targets
        )
        return min(max(opening, _LEAST_WAIT_S), _LONGEST_WAIT_S)


class _Tries:
    """What was tried for one picture."""

    def __init__(self, lost_before: int) -> None:
        self.asked: list[Target] = []
        self.hopeless: list[Target] = []
        self.calls = 0
        self.lost_before = self.lost_attempts = lost_before
        self.error: GoogleError | None = None

    @property
    def may_wait(self) -> bool:
        return self.error is not None and rules.may_wait(self.error, lost_attempts=self.lost_attempts)

    def note(self, target: Target, error: GoogleError) -> None:
        self.asked.append(target)
        self.calls += not isinstance(error, ModelGoneError)
        if not error.retryable:
            self.hopeless.append(target)
        self.lost_attempts += error.maybe_charged
        self.error = error


def _health_of(target: Target) -> RouteHealth:
    breaker = target.breaker
    shut = breaker.state != "operational"
    return RouteHealth(
        route=target.route.name,
        model=target.model,
        state=breaker.state,
        reason=breaker.reason,
        since=breaker.since or None,
        until=breaker.until if shut else None,
    )
