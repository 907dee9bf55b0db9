"""How an order becomes a prompt, and what a failure of Google's means for the caller."""

import hashlib
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import orjson

from nanobanana.domain.api_keys.types import Bearer, Mode, Month
from nanobanana.domain.generation.errors import (
    CancelledError,
    ContentPolicyError,
    ExpiredError,
    IdempotencyKeyReusedError,
    QueueFullError,
    QuotaExceededError,
    StoreOutageError,
    UpstreamUnavailableError,
)
from nanobanana.domain.generation.types import (
    Admission,
    Generation,
    Idempotency,
    NotMade,
    Order,
    State,
    Style,
    Token,
)
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.limits.rules import rate_limit_headers
from nanobanana.domain.limits.types import Limit, Verdict, Window
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.errors import InvalidRequestError, NanoBananaError
from nanobanana.integrations.google.errors import BadRequestError, PolicyRefusalError

HOUR_S, DAY_S = 3_600, 86_400
IN_FLIGHT = "in_flight"

_ASK_AGAIN_S = 2
_LONGEST_ASK_AGAIN_S = 60
# As the queue moves once the model is back, at the least.
_PLACES_A_SECOND = 10

# Added after the prompt, so that the caller's words come first. Documented in the README.
_DIRECTIONS: dict[Style, str] = {
    "natural": "",
    "artistic": "\n\nRender this as an expressive work of art: painterly brushwork, deliberate composition, "
    "rich but harmonious colours, dramatic light.",
}


def directed(prompt: str, style: Style) -> str:
    return prompt + _DIRECTIONS[style]


def explain(error: NoRouteError | NotServedError | UnusablePictureError) -> NotMade:
    """What the caller is told; the error's own text may be Google's or the system's and stays in the log."""
    if isinstance(error, NotServedError):
        return _not_served(error)
    if isinstance(error, NoRouteError):
        return failed("The image model is unavailable at the moment.", retry_after_s=error.retry_after_s)
    return failed("The image model sent an unusable picture.", lost_attempts=1)


def failed(reason: str, *, lost_attempts: int = 0, retry_after_s: float | None = None) -> NotMade:
    return NotMade(
        state="failed",
        error_code=UpstreamUnavailableError.code,
        error_message=reason,
        retryable=True,
        lost_attempts=lost_attempts,
        retry_after_s=retry_after_s,
    )


def _not_served(error: NotServedError) -> NotMade:
    cause = error.cause
    if isinstance(cause, PolicyRefusalError):
        return NotMade(
            state="blocked",
            error_code=ContentPolicyError.code,
            error_message=cause.public_message,
            retryable=False,
            lost_attempts=error.lost_attempts,
        )
    if isinstance(cause, BadRequestError):
        return NotMade(
            state="failed",
            error_code=InvalidRequestError.code,
            error_message="The image model does not accept this request. Sent again it is refused again.",
            retryable=False,
            lost_attempts=error.lost_attempts,
        )
    # A soft failure is a matter of chance: waiting adds nothing.
    retry_after_s = None if cause.fault == "request" else error.retry_after_s
    return failed(cause.public_message, lost_attempts=error.lost_attempts, retry_after_s=retry_after_s)


def cancelled(generation: Generation) -> NotMade:
    """Its idempotency key stays: a retry of the order that is still on its way must not order anew."""
    return NotMade(
        state="cancelled",
        error_code=CancelledError.code,
        error_message="This generation was cancelled before it was made.",
        retryable=False,
        lost_attempts=generation.lost_attempts,
    )


def expired(generation: Generation) -> NotMade:
    return NotMade(
        state="expired",
        error_code=ExpiredError.code,
        error_message="The image model was unavailable for as long as an image may wait for it.",
        retryable=True,
        lost_attempts=generation.lost_attempts,
    )


def gives_tokens_back(state: State) -> bool:
    """Whether what ended so never counted against the speed limits: it is not the caller's doing."""
    return state in {"failed", "cancelled", "expired"}


def check_retention(order: Order, bearer: Bearer) -> None:
    """A test key may wish for what a live one may; its pictures go after a day all the same."""
    if order.retention_s and bearer.plan_retention_s and order.retention_s > bearer.plan_retention_s:
        longest = f"{bearer.plan_retention_s // DAY_S}d"
        raise InvalidRequestError(
            f"retention: Your plan keeps pictures for {longest}: this may be shorter, not longer.",
            param="retention",
        )


def token(bearer: Bearer, *, idempotency_key: str | None, generation_id: str) -> Token:
    """Repeats of one idempotency key take one token together."""
    return Token(
        id=token_id(
            account_id=bearer.account_id,
            mode=bearer.mode,
            idempotency_key=idempotency_key,
            generation_id=generation_id,
        ),
        account_id=bearer.account_id,
        api_key_id=bearer.api_key_id,
        mode=bearer.mode,
        in_flight=bearer.plan_images_in_flight is not None,
    )


def token_id(*, account_id: str, mode: Mode, idempotency_key: str | None, generation_id: str) -> str:
    """Known from the row alone, so that whoever ends it can give the token back."""
    if idempotency_key is None:
        return generation_id
    name = f"{account_id} {mode} {idempotency_key}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def ask_again_s(generation: Generation) -> int:
    """After how many seconds it is worth asking what became of it."""
    if generation.state != "queued":
        return _ASK_AGAIN_S
    place = generation.queue_position or 1
    return min(_LONGEST_ASK_AGAIN_S, _ASK_AGAIN_S + place // _PLACES_A_SECOND)


def raise_refusal(admission: Admission) -> None:
    if admission.refusal == "idempotency_key_reused":
        raise IdempotencyKeyReusedError
    if admission.refusal == "queue_full":
        raise QueueFullError
    if admission.refusal == "store_outage":
        raise StoreOutageError
    if admission.refusal:
        raise QuotaExceededError(admission.refusal)


def idempotency(key: str, order: Order) -> Idempotency:
    """The fingerprint is of what is asked for, as it was understood: the same wish in another spelling is the same."""
    wish = asdict(order)
    # Left out of it where nothing is said: so were orders before they could say it, and their retries may still come.
    if order.retention_s is None:
        del wish["retention_s"]
    asked = orjson.dumps(["POST /v1/generate", wish], option=orjson.OPT_SORT_KEYS)
    return Idempotency(key=key, fingerprint=hashlib.sha256(asked).digest())


def month_after(admission: Admission, generation: Generation) -> Month | None:
    """The month as it stands once what was held for this generation is captured or released."""
    month = admission.month
    released = generation.has_ended and generation.state != "succeeded" and not admission.admitted.has_ended
    return replace(month, images=month.images - 1) if month and released else month


def month_refused(month: Month, error: NanoBananaError) -> Month:
    """The month as it stands after this refusal, which may be newer than the figures."""
    is_full = isinstance(error, QuotaExceededError) and error.limit == "account_month"
    return replace(month, images=month.limit or 0) if is_full else month


def given_back(verdict: Verdict) -> Verdict:
    """The windows as they stand once the token that was taken of each is given back."""
    windows = [_with_one_more(window) for window in verdict.windows]
    return replace(verdict, windows=windows)


def limit_headers(bearer: Bearer, verdict: Verdict, month: Month | None) -> dict[str, str]:
    """How the hour and the month stand. Work in flight is bounded too, but no clock sets that back."""
    windows = [window for window in verdict.windows if window.limit.name != IN_FLIGHT]
    if bearer.mode == "live" and month and month.limit is not None:
        windows.append(_month_window(month.images, month.limit, datetime.now(UTC)))
    return rate_limit_headers(windows)


def _with_one_more(window: Window) -> Window:
    remaining = min(window.limit.tokens, window.remaining + 1)
    is_whole = remaining == window.limit.tokens
    return replace(window, remaining=remaining, reset_s=0.0 if is_whole else window.reset_s)


def _month_window(images: int, limit: int, now: datetime) -> Window:
    begin, end = _month_of(now.year, now.month)
    window_s = int((end - begin).total_seconds())
    return Window(
        limit=Limit(name="month", subject="", tokens=limit, window_s=window_s, unit="images"),
        remaining=max(0, limit - images),
        reset_s=(end - now).total_seconds(),
    )


@lru_cache(maxsize=2)
def _month_of(year: int, month: int) -> tuple[datetime, datetime]:
    """Its begin and its end."""
    begin = datetime(year, month, 1, tzinfo=UTC)
    return begin, (begin + timedelta(days=32)).replace(day=1)
