"""When a breaker opens and for how long, and what is tried again. `chance` is a number from 0 to 1."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nanobanana.domain.routes.types import Breaker, State
from nanobanana.integrations.google.errors import (
    AccountRestrictedError,
    BillingError,
    GoogleError,
    KeyRejectedError,
    ModelGoneError,
    QuotaExhaustedError,
)

FAILURES_TO_OPEN = 5
# A cool-down doubles with each failed probe. Google's own advice (RetryInfo) is followed within the same bounds.
SHORTEST_COOL_DOWN_S, LONGEST_COOL_DOWN_S = 5.0, 60.0
LEAST_ADVICE_S = 1.0
# Long enough that hardly a request pays for the extra round trip, short enough to notice a model that comes back.
GONE_S = 600.0
# The quota of a day is asked for this often: somebody may have raised it.
DAY_QUOTA_PROBE_S = 3_600.0
OUT_PROBE_S = 86_400.0
# By reason; of all others a minute.
_LONGEST_OPEN_S = {ModelGoneError.code: GONE_S, "quota_day": DAY_QUOTA_PROBE_S}
# Renewed each second while the probe lasts: one whose process has died costs no more time than one that failed.
PROBE_LEASE_S = SHORTEST_COOL_DOWN_S
# Who may not probe looks again when it has heard of the others.
LOOK_AGAIN_S = 1.0

CALLS_PER_REQUEST = 3
# Waits before a second and a third call by the same route, at most: Full jitter.
_PAUSES_S = (0.5, 1.0)
# At Google a day ends at midnight there.
_PACIFIC = ZoneInfo("America/Los_Angeles")


def is_account_trouble(error: GoogleError) -> bool:
    """Of all models of the route, and no matter of minutes."""
    return isinstance(error, KeyRejectedError | BillingError | AccountRestrictedError)


def answered(breaker: Breaker, *, now: float) -> Breaker:
    """After a picture, or an answer that speaks of the request alone."""
    if breaker.state != "operational":
        return reopened(breaker, now=now)
    return replace(breaker, failures=0) if breaker.failures else breaker


def reopened(breaker: Breaker, *, now: float) -> Breaker:
    return Breaker(since=now, changed_at=_later(breaker, now))


def failed(breaker: Breaker, error: GoogleError, *, now: float, chance: float) -> Breaker:
    if is_account_trouble(error):
        return _shut(breaker, "out", reason=error.code, now=now, until=now + OUT_PROBE_S)
    failures = breaker.failures + 1
    if breaker.state == "operational" and failures < FAILURES_TO_OPEN and not _opens_at_once(error):
        return replace(breaker, failures=failures)
    grown = replace(breaker, openings=breaker.openings + 1)
    until = now + _cool_down_s(error, openings=grown.openings, now=now, chance=chance)
    return _shut(grown, "open", reason=_reason(error), now=now, until=until)


def probed(breaker: Breaker, *, now: float) -> Breaker:
    """One request asks now, and nobody else does until it has its answer."""
    until = now + PROBE_LEASE_S
    return replace(breaker, state="half-open", changed_at=_later(breaker, now), until=until)


def probed_elsewhere(breaker: Breaker, *, now: float) -> Breaker:
    """Whoever probes says what comes of it: `changed_at` stays, so that this is believed."""
    return replace(breaker, state="half-open", until=now + LOOK_AGAIN_S)


def awaited(breaker: Breaker, *, now: float, left_s: float) -> Breaker:
    """Half-open, and the lease of its probe ends then."""
    return replace(breaker, until=now + left_s)


def given_up(breaker: Breaker, *, now: float) -> Breaker:
    """The probe went away without an answer: the next request may be one."""
    return replace(breaker, state="open", until=now)


def bounded(breaker: Breaker, *, now: float) -> Breaker:
    """For no longer than its kind of trouble is ever shut: else a clock that was put back, or another machine's that is
    fast, would keep a route from being asked."""
    return replace(breaker, until=min(breaker.until, now + _longest_s(breaker)))


def may_go_on(error: GoogleError, *, calls: int, lost_attempts: int) -> bool:
    """Whether a request that met this error asks once more, if there is anybody to ask. What Google may have charged
    for is asked for once again."""
    again = error.retryable or error.fault == "route"
    return again and calls < CALLS_PER_REQUEST and lost_attempts <= 1


def may_wait(error: GoogleError, *, lost_attempts: int) -> bool:
    """Whether a request that this error ended is worth asking for again in better times."""
    return error.fault != "request" and lost_attempts <= 1


def pause_s(*, calls: int, chance: float, advice_s: float | None) -> float:
    """Before another call by the same route; not sooner than Google has advised for it."""
    longest = _PAUSES_S[min(calls, len(_PAUSES_S)) - 1]
    return max(chance * longest, advice_s or 0.0)


class RetryBudget:
    """Retries are a tenth of the calls, and ten more: a storm of failures must not double the load."""

    RESERVE, SHARE = 10.0, 0.1

    def __init__(self) -> None:
        self._left = self.RESERVE

    def note_call(self) -> None:
        self._left = min(self.RESERVE, self._left + self.SHARE)

    def take(self) -> bool:
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _shut(breaker: Breaker, state: State, *, reason: str, now: float, until: float) -> Breaker:
    since = now if breaker.state == "operational" else breaker.since
    return Breaker(
        state=state,
        reason=reason,
        since=since,
        until=until,
        changed_at=_later(breaker, now),
        openings=breaker.openings,
    )


def _later(breaker: Breaker, now: float) -> float:
    """Processes believe what is newer, so a change is newer than the one before it, whatever the clock says."""
    return max(now, breaker.changed_at + 0.001)


def _opens_at_once(error: GoogleError) -> bool:
    """What Google says of itself needs no second opinion. A 429 that names no quota is a moment's lack of capacity."""
    if isinstance(error, QuotaExhaustedError):
        return error.quota_window is not None or error.retry_after_s is not None
    return isinstance(error, ModelGoneError)


def _cool_down_s(error: GoogleError, *, openings: int, now: float, chance: float) -> float:
    if isinstance(error, ModelGoneError):
        return GONE_S
    if error.quota_window == "day":  # its RetryInfo means nothing
        return min(DAY_QUOTA_PROBE_S, _until_midnight_s(now))
    if error.retry_after_s is not None:
        return min(max(error.retry_after_s, LEAST_ADVICE_S), LONGEST_COOL_DOWN_S)
    grown = min(SHORTEST_COOL_DOWN_S * 2.0 ** (openings - 1), LONGEST_COOL_DOWN_S)
    return grown * (0.8 + 0.2 * chance)


def _longest_s(breaker: Breaker) -> float:
    if breaker.state == "half-open":
        return PROBE_LEASE_S
    if breaker.state == "out":
        return OUT_PROBE_S
    return _LONGEST_OPEN_S.get(breaker.reason, LONGEST_COOL_DOWN_S)


def _until_midnight_s(now: float) -> float:
    here = datetime.fromtimestamp(now, _PACIFIC)
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(midnight.timestamp() - now, LEAST_ADVICE_S)


def _reason(error: GoogleError) -> str:
    is_quota = error.quota_window and not isinstance(error, ModelGoneError)
    return f"quota_{error.quota_window}" if is_quota else error.code
