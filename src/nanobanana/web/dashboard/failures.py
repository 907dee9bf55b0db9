"""Why there is no image, in plain words, and what to do about it."""

from dataclasses import dataclass

from nanobanana.domain.generation.errors import QuotaExceededError, error_of
from nanobanana.domain.generation.types import Generation
from nanobanana.errors import NanoBananaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    title: str
    text: str
    # Where that is done, and what it is called.
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`explained_at`: where the documentation has this code."""

    code: str
    # Empty where it speaks of requests, to programs.
    message: str
    explained_at: str
    advice: Advice
    # Where nothing else names what happened.
    request_id: str | None


_TOLD_TO_PROGRAMS = frozenset({"not_found", "invalid_api_key", "scope_missing", "ip_not_allowed"})
_KEYS = ("/keys", "Your keys")
_BILLING = ("/billing", "Your plan and balance")
_QUOTA = {
    "account_month": Advice(
        title="This month's images are used up",
        text="They begin anew on the first of the month. A larger plan has more.",
        link=_BILLING,
    ),
    "key_cap": Advice(
        title="This key's images are used up",
        text="You gave it a limit for the month: raise it, or let another key pay.",
        link=_KEYS,
    ),
    "free_pool": Advice(
        title="Today's free images are used up",
        text="All free accounts share them, and they begin anew at midnight UTC. Paid plans do not wait for them.",
        link=_BILLING,
    ),
    "balance": Advice(title="The balance is too low", text="Top it up to go on.", link=_BILLING),
    "spending_cap": Advice(
        title="Your spending cap is reached",
        text="You chose how much a month may cost. Raise the cap to go on.",
        link=_BILLING,
    ),
}
_BY_CODE = {
    "not_found": Advice(
        title="There is no such key",
        text="It may have been revoked a moment ago: choose another.",
        link=_KEYS,
    ),
    "invalid_api_key": Advice(
        title="This key does not work any more",
        text="It was revoked, disabled, or has expired. Choose another.",
        link=_KEYS,
    ),
    "account_suspended": Advice(
        title="This account is suspended", text="Once that is lifted, your keys work as before."
    ),
    "scope_missing": Advice(
        title="This key may not make images",
        text="Give it the scope generate, or choose another.",
        link=_KEYS,
    ),
    "ip_not_allowed": Advice(
        title="This key may not be used from where you are",
        text="It is bound to other addresses. Add yours to it, or choose another.",
        link=_KEYS,
    ),
    "idempotency_key_reused": Advice(
        title="This form has already made an image",
        text="One form makes one image, however often it is sent. Press the button again for another.",
    ),
    "rate_limited": Advice(title="Too fast", text="What you typed is still here."),
    "content_policy": Advice(
        title="Refused by the content policy",
        text="The same prompt will be refused again: say it differently.",
    ),
    "upstream_unavailable": Advice(
        title="The image model did not deliver", text="This passes. Try again in a moment."
    ),
    "overloaded": Advice(title="More to do than we can take on", text="This passes. Try again in a moment."),
    "expired": Advice(
        title="It waited too long", text="The image model was away for too long. Try again later."
    ),
    "cancelled": Advice(title="Cancelled", text="You can order it again."),
    "invalid_request": Advice(
        title="This cannot be made",
        text="Sent again it is refused again: change what it asks for.",
    ),
    "internal_error": Advice(title="Something broke on our side", text="Try again in a moment."),
}


def failure_of(error: NanoBananaError, *, request_id: str | None = None) -> Failure:
    return Failure(
        code=error.code,
        message="" if error.code in _TOLD_TO_PROGRAMS else error.message,
        explained_at=f"/docs/errors#{error.code}",
        advice=_advice(error),
        request_id=request_id if error.status == 500 else None,
    )


def failure_of_generation(generation: Generation) -> Failure | None:
    if generation.error_code is None or generation.error_message is None:
        return None
    return failure_of(error_of(generation.error_code, generation.error_message))


def _advice(error: NanoBananaError) -> Advice:
    if isinstance(error, QuotaExceededError):
        return _QUOTA[error.limit]
    return _BY_CODE.get(error.code) or _BY_CODE["internal_error"]
