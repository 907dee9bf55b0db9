"""When a delivery is tried again, and when an endpoint is left in peace."""

from collections.abc import Sequence

from nanobanana.domain.webhooks.types import Attempt
from nanobanana.integrations.webhooks.types import Answer

# Between the tries, as the Standard Webhooks specification has them: ten tries in a little more than three days.
WAITS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Never earlier than the timetable, and not all at the same moment.
MOST_JITTER = 0.1
# What a Retry-After may ask for.
LONGEST_REST_S = 3_600
# After tries of which none succeeded: what is down is not met by hundreds of deliveries one upon another.
_REST_S = 5

_GONE = 410


def works(attempts: Sequence[Attempt]) -> bool:
    return any(attempt.state == "succeeded" for attempt in attempts)


def rest_s(attempts: Sequence[Attempt]) -> int:
    """How long nothing more is sent to the endpoint that these were sent to at once."""
    return max(attempt.rest_s for attempt in attempts) or (0 if works(attempts) else _REST_S)


def outcome(answer: Answer, *, attempts: int, chance: float) -> Attempt:
    """Of the try after `attempts` others; `chance` is between 0 and 1."""
    if answer.problem is None:
        return Attempt(
            state="succeeded", next_in_s=None, status=answer.status, problem=None, rest_s=0, gone=False
        )
    asked_s = min(answer.retry_after_s or 0, LONGEST_REST_S)
    gone = answer.status == _GONE
    last = gone or attempts >= len(WAITS_S)
    return Attempt(
        state="failed" if last else "pending",
        next_in_s=None if last else max(asked_s, WAITS_S[attempts] * (1 + MOST_JITTER * chance)),
        status=answer.status,
        problem=answer.problem,
        rest_s=asked_s,
        gone=gone,
    )
