from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanobanana.domain.routes import rules
from nanobanana.domain.routes.types import Breaker
from nanobanana.integrations.google.errors import (
    GoogleError,
    KeyRejectedError,
    ModelGoneError,
    QuotaExhaustedError,
    TimedOutError,
    UnavailableError,
)

NOON = datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp()  # in California
FAILURES = st.builds(
    lambda kind, window, advice: kind("x", quota_window=window, retry_after_s=advice),
    st.sampled_from((UnavailableError, TimedOutError, QuotaExhaustedError, KeyRejectedError, ModelGoneError)),
    st.sampled_from((None, "minute", "day")),
    st.one_of(st.none(), st.floats(0, 10**9)),
)


@given(st.lists(st.one_of(st.none(), FAILURES), max_size=30), st.floats(0, 1))
def test_whatever_happens_a_breaker_is_shut_for_a_bounded_time_and_a_success_closes_it(
    events: list[GoogleError | None], chance: float
) -> None:
    breaker, now = Breaker(), NOON
    for event in events:
        now += 1
        if event is None:
            breaker = rules.answered(breaker, now=now)
            assert (breaker.state, breaker.failures, breaker.openings) == ("operational", 0, 0)
        else:
            breaker = rules.failed(breaker, event, now=now, chance=chance)
        if breaker.state == "operational":
            assert breaker.failures < rules.FAILURES_TO_OPEN
        else:
            assert breaker.since <= breaker.changed_at <= now
            assert 1 <= breaker.until - breaker.changed_at <= rules.OUT_PROBE_S
            assert rules.bounded(breaker, now=now) == breaker


@pytest.mark.parametrize(
    ("advice", "wait"), [(0.0, 1.0), (1.0, 1.0), (25.1, 25.1), (60.0, 60.0), (61.0, 60.0), (1e9, 60.0)]
)
def test_googles_advice_is_followed_from_a_second_to_a_minute(advice: float, wait: float) -> None:
    error = QuotaExhaustedError("x", quota_window="minute", retry_after_s=advice)

    breaker = rules.failed(Breaker(), error, now=NOON, chance=1)

    assert (breaker.state, breaker.reason, breaker.until) == ("open", "quota_minute", NOON + wait)


def test_a_quota_of_a_minute_without_advice_waits_as_other_failures_do() -> None:
    error = QuotaExhaustedError("x", quota_window="minute")

    assert rules.failed(Breaker(), error, now=NOON, chance=1).until == NOON + 5


@pytest.mark.parametrize(
    ("now", "wait"),
    [
        (datetime(2026, 11, 23, 7, 0, tzinfo=UTC), 3_600),
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), 60),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), 3_600),
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), 60),
    ],
)
def test_a_quota_of_a_day_ends_at_midnight_in_california_and_is_probed_every_hour(
    now: datetime, wait: float
) -> None:
    error = QuotaExhaustedError("x", quota_window="day", retry_after_s=34)

    breaker = rules.failed(Breaker(), error, now=now.timestamp(), chance=0)

    assert breaker.until - now.timestamp() == wait


@pytest.mark.parametrize(
    ("error", "calls", "lost", "goes_on"),
    [
        (UnavailableError("x"), 2, 0, True),
        (UnavailableError("x"), 3, 0, False),
        (TimedOutError("x"), 1, 1, True),
        (TimedOutError("x"), 2, 2, False),
        (UnavailableError("x"), 2, 1, True),
        (KeyRejectedError("x"), 2, 0, True),
    ],
)
def test_three_calls_and_one_loss_are_borne(
    error: GoogleError, calls: int, lost: int, *, goes_on: bool
) -> None:
    assert rules.may_go_on(error, calls=calls, lost_attempts=lost) is goes_on


def test_a_retry_waits_by_chance_and_never_less_than_google_advises() -> None:
    assert rules.pause_s(calls=1, chance=0, advice_s=None) == 0
    assert rules.pause_s(calls=1, chance=1, advice_s=None) == 0.5
    assert rules.pause_s(calls=2, chance=1, advice_s=None) == 1
    assert rules.pause_s(calls=1, chance=1, advice_s=7) == 7


@given(st.lists(st.booleans(), max_size=300))
def test_retries_are_a_tenth_of_the_calls_and_ten(calls_or_retries: list[bool]) -> None:
    budget = rules.RetryBudget()
    calls = retries = 0
    for is_call in calls_or_retries:
        if is_call:
            budget.note_call()
            calls += 1
        else:
            retries += budget.take()
        assert retries <= calls / 10 + 10
