"""How fast an account and a key may go: windows that slide over any hour, and a bound on what is in flight."""

from collections.abc import Iterator

from nanobanana.domain.api_keys.types import Bearer
from nanobanana.domain.generation.rules import HOUR_S, IN_FLIGHT, limit_headers
from nanobanana.domain.generation.types import Pace, Token
from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.domain.limits.service import Limiter
from nanobanana.domain.limits.types import Limit, Verdict, Window
from nanobanana.domain.moderation.rules import images_per_hour

# Test images cost a little CPU and nothing else.
TEST_IMAGES_PER_HOUR = 1_000
# To be made, once it has waited in the queue for as long as anything may. So long counts work as in flight whose end
# nobody tells; otherwise until it ends, in whatever process.
_MAKING_S = 600
# Nobody knows when the next of them ends; images take some ten seconds.
_ASK_AGAIN_S = 2


class SpeedLimits:
    def __init__(self, limiter: Limiter, *, refusals_per_day: int, queue_max_age_s: int) -> None:
        self._limiter = limiter
        self._refusals_per_day = refusals_per_day
        self._in_flight_s = queue_max_age_s + _MAKING_S

    async def take(self, bearer: Bearer, *, token: str) -> Verdict:
        """One token of every window; the same `token` costs once. Raises RateLimitedError."""
        return _allowed(bearer, await self._limiter.take(self._limits(bearer), token=token))

    async def foresee(self, bearer: Bearer) -> Verdict:
        """Raises what `take` would raise now, and takes nothing."""
        return _allowed(bearer, await self.look(bearer))

    async def look(self, bearer: Bearer) -> Verdict:
        """How the windows stand."""
        return await self._limiter.look(self._limits(bearer))

    async def hour_of(self, account_id: str, pace: Pace) -> Window | None:
        """How the hour stands that the live keys of an account share; None: its plan has no limit."""
        per_hour = self._per_hour(pace.plan_images_per_hour, pace.refusals)
        if per_hour is None:
            return None
        verdict = await self._limiter.look([_hour(account_id, per_hour)])
        return verdict.windows[0]

    def take_back(self, verdict: Verdict, *, token: str, refund: bool) -> None:
        """What this `take` took for a request that was refused. What an earlier request with the same token took is
        that one's: its work may be going on. Without `refund` the request counts, and only is not in flight."""
        back = [
            window.limit
            for window in verdict.windows
            if window.taken and (refund or window.limit.name == IN_FLIGHT)
        ]
        if back:
            self._limiter.give_back(back, token=token)

    def end(self, token: Token, *, refund: bool) -> None:
        """The work of this token is no longer in flight; with `refund` it never counted."""
        if back := list(self._to_give_back(token, refund=refund)):
            self._limiter.give_back(back, token=token.id)

    def _limits(self, bearer: Bearer) -> list[Limit]:
        per_hour = self._per_hour(bearer.plan_images_per_hour, bearer.refusals)
        limits = list(_by_the_hour(bearer, per_hour))
        if bearer.mode == "live" and bearer.plan_images_in_flight is not None:
            limits.append(self._in_flight(bearer.account_id, bearer.plan_images_in_flight))
        return limits

    def _per_hour(self, usual: int | None, refusals: int) -> int | None:
        return images_per_hour(usual, refusals=refusals, refusals_per_day=self._refusals_per_day)

    def _to_give_back(self, token: Token, *, refund: bool) -> Iterator[Limit]:
        """Without their bounds, which the plan may have changed. A window that never had the token does not mind."""
        if token.mode == "test":
            if refund:
                yield Limit(name="hour", subject=f"test {token.account_id}", tokens=0, window_s=HOUR_S)
            return
        if refund:
            yield _hour(token.account_id, 0)
            yield Limit(name="key_hour", subject=token.api_key_id, tokens=0, window_s=HOUR_S)
        if token.in_flight:
            yield self._in_flight(token.account_id, 0)

    def _in_flight(self, account_id: str, tokens: int) -> Limit:
        return Limit(name=IN_FLIGHT, subject=account_id, tokens=tokens, window_s=self._in_flight_s)


def _allowed(bearer: Bearer, verdict: Verdict) -> Verdict:
    if not verdict.allowed:
        by_clock = [window for window in verdict.windows if window.limit.name != IN_FLIGHT]
        waits = [window.wait_s for window in by_clock if window.remaining == 0]
        raise RateLimitedError(
            retry_after_s=max(waits, default=_ASK_AGAIN_S),
            headers=limit_headers(bearer, verdict, bearer.month),
        )
    return verdict


def _hour(account_id: str, tokens: int) -> Limit:
    return Limit(name="hour", subject=account_id, tokens=tokens, window_s=HOUR_S)


def _by_the_hour(bearer: Bearer, per_hour: int | None) -> Iterator[Limit]:
    if bearer.mode == "test":
        yield Limit(
            name="hour", subject=f"test {bearer.account_id}", tokens=TEST_IMAGES_PER_HOUR, window_s=HOUR_S
        )
        return
    if per_hour is not None:
        yield _hour(bearer.account_id, per_hour)
    if bearer.key_images_per_hour is not None:
        yield Limit(
            name="key_hour", subject=bearer.api_key_id, tokens=bearer.key_images_per_hour, window_s=HOUR_S
        )
