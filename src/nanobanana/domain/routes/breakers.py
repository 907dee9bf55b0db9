"""Keeps the breakers of all routes: after each call, by what other processes found out, and at an operator's word."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from redis.exceptions import RedisError

from nanobanana.domain.routes import rules
from nanobanana.domain.routes.repository import BreakersInRedis
from nanobanana.domain.routes.route import Route, Target
from nanobanana.domain.routes.types import Breaker, State
from nanobanana.integrations.google.errors import GoogleError
from nanobanana.metrics import ROUTE_STATE

_GAUGED: dict[State, int] = {"operational": 0, "half-open": 1, "open": 2, "out": 3}

log = structlog.get_logger()


class Breakers:
    """`shared` None: this process minds its own."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        shared: BreakersInRedis | None,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._targets = [target for route in routes for target in route.targets.values()]
        self._shared = shared
        self._clock = clock
        self._chance = chance
        self._given_up: set[str] = set()
        for target in self._targets:
            _gauge(target)

    async def may_ask(self, target: Target) -> bool:
        """Called of targets that are usable. Of one that is shut, only the probe may ask, one over all processes."""
        before, now = target.breaker, self._clock()
        if before.state == "operational":
            return True
        target.breaker = rules.probed(before, now=now)  # from here on nobody else of this process
        if not await self._claim(target):
            target.breaker = rules.probed_elsewhere(before, now=now)
            return False
        if news := await self._news(target, since=before.changed_at):
            target.breaker = news
            _gauge(target)
            await self._release(target.field)
            return False
        target.breaker = before
        await self._change({target: rules.probed(before, now=now)})
        return True

    async def answered(self, target: Target, *, was_probe: bool) -> None:
        """A probe that was answered also brings back the other models of a route that was out."""
        struck = [target] if was_probe or target.breaker.state == "operational" else []
        if was_probe:
            struck += [each for each in target.route.targets.values() if each.breaker.state == "out"]
        now = self._clock()
        await self._change({each: rules.answered(each.breaker, now=now) for each in struck})
        if was_probe:
            await self._release(target.field)

    async def failed(self, target: Target, error: GoogleError, *, was_probe: bool) -> None:
        """Calls that began before the breaker opened have no say any more, but that the account is in trouble."""
        if not target.route.breaks:
            return
        struck = [target] if was_probe or target.breaker.state == "operational" else []
        if rules.is_account_trouble(error):
            others = target.route.targets.values()
            struck = [each for each in others if was_probe or each.breaker.state != "out"]
        now, chance = self._clock(), self._chance()
        await self._change(
            {each: rules.failed(each.breaker, error, now=now, chance=chance) for each in struck}
        )
        if was_probe:
            await self._release(target.field)

    def give_up_probe(self, target: Target) -> None:
        """Its caller is being cancelled: nothing here may wait, so the next exchange lets go of the probe."""
        target.breaker = rules.given_up(target.breaker, now=self._clock())
        self._given_up.add(target.field)

    async def reopen(self, route: Route) -> bool:
        """Whether the other processes get to know of it."""
        now, targets = self._clock(), list(route.targets.values())
        for target in targets:
            target.breaker = rules.reopened(target.breaker, now=now)
            _gauge(target)
            await self._release(target.field)
        return await self._tell(targets)

    async def exchange(self) -> bool:
        """Learns what is newer elsewhere, tells what is newer here. False when Redis does not answer."""
        if self._shared is None:
            return False
        for field in list(self._given_up):
            await self._release(field)
        try:
            theirs = await self._shared.read()
        except (RedisError, OSError):
            return False
        newer = []
        for target in self._targets:
            known = theirs.get(target.field, Breaker())
            if known.changed_at > target.breaker.changed_at:
                target.breaker = known
                _gauge(target)
            elif known.changed_at < target.breaker.changed_at:
                newer.append(target)
        return await self._tell(newer)

    async def _change(self, breakers: Mapping[Target, Breaker]) -> None:
        """Failures that change no state are this process's own."""
        changed = []
        for target, breaker in breakers.items():
            was, target.breaker = target.breaker, breaker
            if breaker.state != was.state:
                self._report(target, was)
            if breaker.changed_at != was.changed_at:
                changed.append(target)
        await self._tell(changed)

    def _report(self, target: Target, was: Breaker) -> None:
        breaker = target.breaker
        _gauge(target)
        write = log.info if breaker.state in {"operational", "half-open"} else log.warning
        write(
            "route_state_changed",
            route=target.route.name,
            model=target.model,
            state=breaker.state,
            was=was.state,
            reason=breaker.reason,
            for_s=round(max(0.0, breaker.until - self._clock()), 1),
        )

    async def _tell(self, targets: Iterable[Target]) -> bool:
        breakers = {target.field: target.breaker for target in targets}
        try:
            if self._shared and breakers:
                await self._shared.write(breakers)
        except (RedisError, OSError):
            return False  # the next exchange tells it
        return True

    async def _claim(self, target: Target) -> bool:
        if self._shared is None:
            return True
        try:
            return await self._shared.claim_probe(target.field, lease_s=rules.PROBE_LEASE_S)
        except (RedisError, OSError):
            return True

    async def _news(self, target: Target, *, since: float) -> Breaker | None:
        """What another process found out whose probe has just ended, and this one has not heard of yet."""
        try:
            theirs = await self._shared.read() if self._shared else {}
        except (RedisError, OSError):
            return None
        known = theirs.get(target.field)
        return known if known and known.changed_at > since else None

    async def _release(self, field: str) -> None:
        try:
            if self._shared:
                await self._shared.end_probe(field)
            self._given_up.discard(field)
        except (RedisError, OSError):
            return  # its lease ends


def _gauge(target: Target) -> None:
    ROUTE_STATE.labels(target.route.name, target.model).set(_GAUGED[target.breaker.state])
