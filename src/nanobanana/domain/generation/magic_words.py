"""Words in the prompts of test keys, as in `[test:content_policy]`, that bring every failure about.

docs/test-mode.md shows these tables to callers; a test holds the two against each other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from nanobanana.domain.api_keys.errors import (
    AccountSuspendedError,
    InvalidApiKeyError,
    IpNotAllowedError,
    ScopeMissingError,
)
from nanobanana.domain.generation import rules
from nanobanana.domain.generation.errors import (
    ContentPolicyError,
    IdempotencyKeyReusedError,
    QuotaExceededError,
)
from nanobanana.domain.generation.types import NotMade
from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.errors import InternalError, InvalidRequestError, NanoBananaError, OverloadedError

_WORD = re.compile(r"\[test:([^\]]*)\]")
_SLOW = re.compile(r"slow(?:=(\d{1,3}))?")
SLOW_DEFAULT_S = 10
SLOWEST_S = 120

# Answered in place of the order: nothing is admitted, there is no generation to look up.
REFUSALS: Mapping[str, Callable[[], NanoBananaError]] = {
    "invalid_api_key": InvalidApiKeyError,
    "account_suspended": AccountSuspendedError,
    "scope_missing": partial(ScopeMissingError, "generate"),
    "ip_not_allowed": IpNotAllowedError,
    "quota_exceeded": partial(QuotaExceededError, "account_month"),
    "quota_exceeded=key_cap": partial(QuotaExceededError, "key_cap"),
    "quota_exceeded=free_pool": partial(QuotaExceededError, "free_pool"),
    "quota_exceeded=balance": partial(QuotaExceededError, "balance"),
    "quota_exceeded=spending_cap": partial(QuotaExceededError, "spending_cap"),
    "idempotency_key_reused": IdempotencyKeyReusedError,
    "rate_limited": partial(RateLimitedError, retry_after_s=30, headers={}),
    "overloaded": OverloadedError,
    "internal_error": InternalError,
}

# What a generation ends in, at once and without asking any model.
OUTCOMES: Mapping[str, NotMade] = {
    "content_policy": NotMade(
        state="blocked",
        error_code=ContentPolicyError.code,
        error_message="The prompt was refused by a content policy.",
        retryable=False,
    ),
    "upstream_unavailable": rules.failed("The image model is unavailable at the moment."),
}


def refusal(prompt: str) -> NanoBananaError | None:
    """What this order is refused with; a word that does not exist is refused too, rather than painted."""
    for word in _words(prompt):
        if word in REFUSALS:
            return REFUSALS[word]()
        if word not in OUTCOMES and _slowness_s(word) is None:
            return InvalidRequestError(
                f"prompt: There is no [test:{word[:40]}]. /docs/test-mode lists them all.", param="prompt"
            )
    return None


def outcome(prompt: str) -> NotMade | None:
    return next((OUTCOMES[word] for word in _words(prompt) if word in OUTCOMES), None)


def delay_s(prompt: str) -> int:
    return max((_slowness_s(word) or 0 for word in _words(prompt)), default=0)


def _words(prompt: str) -> Iterator[str]:
    return (match[1] for match in _WORD.finditer(prompt))


def _slowness_s(word: str) -> int | None:
    match = _SLOW.fullmatch(word)
    seconds = int(match[1] or SLOW_DEFAULT_S) if match else None
    return seconds if seconds is not None and 1 <= seconds <= SLOWEST_S else None
