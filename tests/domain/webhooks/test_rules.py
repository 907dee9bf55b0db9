import pytest

from nanobanana.domain.webhooks import rules
from nanobanana.domain.webhooks.types import Attempt
from nanobanana.integrations.webhooks.types import Answer


def tried(status: int, *, attempts: int = 0, retry_after_s: int | None = None, chance: float = 0) -> Attempt:
    problem = None if status < 300 else "no"
    answer = Answer(status=status, problem=problem, retry_after_s=retry_after_s)
    return rules.outcome(answer, attempts=attempts, chance=chance)


@pytest.mark.parametrize(
    ("attempts", "wait_s"), list(enumerate([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]))
)
def test_tries_follow_the_timetable_never_early_and_at_most_a_tenth_late(attempts: int, wait_s: int) -> None:
    assert tried(500, attempts=attempts).next_in_s == wait_s
    assert tried(500, attempts=attempts, chance=1).next_in_s == pytest.approx(wait_s * 1.1)


def test_the_tenth_try_is_the_last() -> None:
    assert [tried(500, attempts=attempts).state for attempts in (8, 9)] == ["pending", "failed"]


@pytest.mark.parametrize(
    ("asked", "wait_s"), [(None, 5), (3, 5), (60, 60), (3_600, 3_600), (3_601, 3_600), (10**9, 3_600)]
)
def test_retry_after_is_waited_for_up_to_an_hour(asked: int | None, wait_s: int) -> None:
    assert tried(429, retry_after_s=asked).next_in_s == wait_s


def test_gone_is_not_tried_again() -> None:
    assert (tried(410).state, tried(410).gone, tried(409).gone) == ("failed", True, False)


def test_an_endpoint_rests_when_it_asks_for_it_or_takes_nothing() -> None:
    assert rules.rest_s([tried(200), tried(500)]) == 0
    assert rules.rest_s([tried(500), tried(500)]) == 5
    assert rules.rest_s([tried(200), tried(429, retry_after_s=60)]) == 60
