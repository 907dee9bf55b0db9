"""Keeps the breakers of all routes: after each call, by what other processes found out, and at an operator's word."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from nanobanana.domain.routes import rules
from nanobanana.domain.routes.repository import BreakersInRedis
from nanobanana.domain.routes.route import Route, Target
from nanobanana.domain.routes.types import Breaker, State
from nanobanana.integrations.google.errors import GoogleError
from nanobanana.metrics import ROUTE_STATE

_GAUGED: dict[State, int] = {"operational": 0, "half-open": 1, "open": 2, "out": 3}

# Another process may change a breaker at the very moment, and again.
_REOPENINGS = 5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What comes of it counts while the breaker is as it was when the call began: after that others know better.
    `probe`: the name under which it holds the probe; empty when it is none."""

    target: Target
    began_with: float
    probe: str = ""

    @property
    def counts(self) -> bool:
        return self.target.breaker.changed_at == self.began_with


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
        self._probes: set[Call] = set()
        self._given_up: set[Call] = set()
        for target in self._targets:
            _gauge(target)

    async def begin(self, target: Target) -> Call | None:
        """Of a target that is usable. Of one that is shut, only the probe may ask, one over all processes."""
        before, now = target.breaker, self._clock()
        if before.state == "operational":
            return Call(target, before.changed_at)
        probing = rules.probed(before, now=now)
        call = Call(target, probing.changed_at, probe=secrets.token_hex(8))
        target.breaker = rules.probed_elsewhere(before, now=now)  # from here on nobody else of this process
        if not await self._hold(call):
            return None
        if target.breaker.changed_at == before.changed_at:
            target.breaker = before
            await self._change({target: probing})
        if not call.counts:  # another's probe has just ended
            await self._let_go(call)
            return None
        self._probes.add(call)
        return call

    async def answered(self, call: Call) -> None:
        """A probe that was answered also brings back the other models of a route that was out."""
        if call.counts:
            target, now = call.target, self._clock()
            struck = [target]
            if call.probe:
                struck += [each for each in target.route.targets.values() if each.breaker.state == "out"]
            await self._change({each: rules.answered(each.breaker, now=now) for each in struck})
            target.grow()
        await self._end(call)

    async def failed(self, call: Call, error: GoogleError) -> None:
        if call.counts and call.target.route.breaks:
            target, now, chance = call.target, self._clock(), self._chance()
            struck = [target]
            if rules.is_account_trouble(error):
                others = target.route.targets.values()
                struck = [each for each in others if call.probe or each.breaker.state != "out"]
            await self._change(
                {each: rules.failed(each.breaker, error, now=now, chance=chance) for each in struck}
            )
            target.shrink()
        await self._end(call)

    def give_up(self, call: Call) -> None:
        """Its caller is being cancelled: nothing here may wait, so the next exchange lets go of the probe."""
        if call.probe:
            if call.counts:
                call.target.breaker = rules.given_up(call.target.breaker, now=self._clock())
            self._probes.discard(call)
            self._given_up.add(call)

    async def reopen(self, route: Route) -> bool:
        """Whether the other processes get to know of it. What they find out at this moment is no reason to give up."""
        targets = list(route.targets.values())
        for _ in range(_REOPENINGS):
            now = self._clock()
            for target in targets:
                target.become(rules.reopened(target.breaker, now=now))
                _gauge(target)
            answers = await self._tell(targets)
            if all(target.breaker.state == "operational" for target in targets):
                return answers
        return False

    async def exchange(self) -> bool:
        """Learns what is newer elsewhere, tells what is newer here, keeps this process's probes. False when Redis does
        not answer."""
        now = self._clock()
        for target in self._targets:
            target.breaker = rules.bounded(target.breaker, now=now)
        self._probes = {call for call in self._probes if call.counts}
        for call in self._probes:
            call.target.breaker = rules.awaited(call.target.breaker, now=now, left_s=rules.PROBE_LEASE_S)
        if self._shared is None:
            return False
        while self._given_up:
            await self._let_go(self._given_up.pop())
        try:
            theirs = await self._shared.read()
            newer = []
            for target in self._targets:
                known = theirs.get(target.field, Breaker())
                if known.changed_at > target.heard_at:
                    self._learn(target, known)
                elif known.changed_at < target.breaker.changed_at:
                    newer.append(target)
            await self._keep_probes(self._shared)
        except (RedisError, OSError):
            return False
        return await self._tell(newer)

    async def _keep_probes(self, shared: BreakersInRedis) -> None:
        """Of this process, and waits for those of others no longer than they are kept."""
        for call in list(self._probes):
            if not call.counts or not await self._hold(call):
                self._probes.discard(call)
        probed = [target for target in self._targets if target.breaker.state == "half-open"]
        held_s = await shared.probes_held_s([target.field for target in probed])
        now = self._clock()
        for target, left_s in zip(probed, held_s, strict=True):
            if target.breaker.state == "half-open":
                target.breaker = rules.awaited(target.breaker, now=now, left_s=left_s)

    async def _change(self, breakers: Mapping[Target, Breaker]) -> None:
        """Failures that change no state are this process's own."""
        were = {target: target.breaker for target in breakers}
        for target, breaker in breakers.items():
            target.become(breaker)
        await self._tell([each for each in breakers if each.breaker.changed_at != were[each].changed_at])
        for target, breaker in breakers.items():
            # Unless others knew better.
            if breaker.state != were[target].state and target.breaker.changed_at == breaker.changed_at:
                self._report(target, were[target])

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

    async def _tell(self, targets: Sequence[Target]) -> bool:
        """Learns instead, where others were quicker. False when Redis does not answer: the next exchange tells it."""
        if not (self._shared and targets):
            return True
        told = {target: target.breaker for target in targets}
        try:
            newer = await self._shared.write(
                {target.field: (target.heard_at, breaker) for target, breaker in told.items()}
            )
        except (RedisError, OSError):
            return False
        for target, breaker in told.items():
            if known := newer.get(target.field):
                self._learn(target, known)
            else:
                target.heard_at = max(target.heard_at, breaker.changed_at)
        return True

    def _learn(self, target: Target, breaker: Breaker) -> None:
        target.heard_at = breaker.changed_at
        target.become(rules.bounded(breaker, now=self._clock()))
        _gauge(target)

    async def _hold(self, call: Call) -> bool:
        if self._shared is None:
            return True
        try:
            return await self._shared.hold_probe(call.target.field, call.probe, lease_s=rules.PROBE_LEASE_S)
        except (RedisError, OSError):
            return True

    async def _end(self, call: Call) -> None:
        if call.probe:
            self._probes.discard(call)
            await self._let_go(call)

    async def _let_go(self, call: Call) -> None:
        """Unless somebody else holds the probe by now."""
        try:
            if self._shared:
                await self._shared.let_go_of_probe(call.target.field, call.probe)
        except (RedisError, OSError):
            return  # its lease ends


def _gauge(target: Target) -> None:
    ROUTE_STATE.labels(target.route.name, target.model).set(_GAUGED[target.breaker.state])
