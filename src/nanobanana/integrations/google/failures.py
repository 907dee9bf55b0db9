"""The table: which of Google's answers means which error.

Google's own sentences decide rows here but never enter an error's text, because they can quote the prompt.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from nanobanana.integrations.google.errors import (
    AccountRestrictedError,
    BadRequestError,
    BillingError,
    BrokenAnswerError,
    GoogleError,
    KeyRejectedError,
    ModelGoneError,
    NoImageError,
    PolicyRefusalError,
    PromptBlockedError,
    QuotaExhaustedError,
    QuotaWindow,
    TimedOutError,
    UnavailableError,
)
from nanobanana.integrations.google.shapes import code, mapping, mappings, out_of_list, text

# The first row matches that fits the beginning of "HTTP-STATUS GOOGLE_STATUS [REASONS] message". The beginning only:
# a message that quotes the prompt must not let the prompt choose the row.
HTTP_FAILURES: Sequence[tuple[str, type[GoogleError], str]] = (
    (r"400 \w* \[[\w ]*API_KEY_", KeyRejectedError, "Google rejects the API key."),
    (r"400 \w* \[[\w ]*\] API key ", KeyRejectedError, "Google rejects the API key."),
    (
        r"400 FAILED_PRECONDITION \[[\w ]*\] User location",
        AccountRestrictedError,
        "Google does not serve this location.",
    ),
    (r"400 FAILED_PRECONDITION ", BillingError, "Google wants billing enabled."),
    (r"40[13] ", KeyRejectedError, "Google does not let this API key in."),
    (r"402 ", BillingError, "Google wants to be paid."),
    (r"404 ", ModelGoneError, "Google does not serve this model."),
    (r"408 ", TimedOutError, "Google gave up waiting."),
    (r"429 .*credits are depleted", BillingError, "The prepaid credits at Google are used up."),
    (r"429 (?s:.*)limit: 0\b(?!\.)", BillingError, "This API key's plan includes no images."),
    (r"429 ", QuotaExhaustedError, "The quota at Google is used up."),
    (r"4\d\d ", BadRequestError, "Google does not accept the request."),
    (r"503 \w* \[[\w ]*\] Deadline expired", TimedOutError, "Google did not finish in time."),
    (r"504 ", TimedOutError, "Google did not finish in time."),
    (r"5\d\d ", UnavailableError, "Google is unavailable."),
    (r"", BrokenAnswerError, "Google answered with a status nobody expects."),
)

_REFUSED = (PolicyRefusalError, "The picture was refused by a content policy.")
_SOFT = (NoImageError, "The model made no picture.")
_RESTRICTED = (AccountRestrictedError, "Google restricts this account.")
FINISH_REASONS: Mapping[str, tuple[type[GoogleError], str]] = {
    "STOP": _SOFT,
    "FINISH_REASON_UNSPECIFIED": _SOFT,
    "NO_IMAGE": _SOFT,
    "IMAGE_OTHER": _SOFT,
    "OTHER": _SOFT,
    "MAX_TOKENS": _SOFT,
    "CONTINUATION": _SOFT,
    "MALFORMED_FUNCTION_CALL": _SOFT,
    "MALFORMED_RESPONSE": _SOFT,
    "MISSING_THOUGHT_SIGNATURE": _SOFT,
    "TOO_MANY_TOOL_CALLS": _SOFT,
    "UNEXPECTED_TOOL_CALL": _SOFT,
    "BLOCKLIST": _REFUSED,
    "IMAGE_PROHIBITED_CONTENT": _REFUSED,
    "IMAGE_RECITATION": _REFUSED,
    "IMAGE_SAFETY": _REFUSED,
    "MODEL_ARMOR": _REFUSED,
    "PROHIBITED_CONTENT": _REFUSED,
    "RECITATION": _REFUSED,
    "SAFETY": _REFUSED,
    "SPII": _REFUSED,
    "LANGUAGE": (PolicyRefusalError, "The model does not serve the language of the prompt."),
    "ESCALATION": _RESTRICTED,
    "PUP_LIMITED_DISABLED": _RESTRICTED,
}
# Of a model whose answer is prose, where a picture was asked for.
TEXT_ONLY = (PolicyRefusalError, "The model answered with words instead of a picture.")

_BLOCKED = (PromptBlockedError, "The prompt was refused by a content policy.")
BLOCK_REASONS: Mapping[str, tuple[type[GoogleError], str]] = {
    "BLOCKED_REASON_UNSPECIFIED": _BLOCKED,
    "BLOCKLIST": _BLOCKED,
    "IMAGE_SAFETY": _BLOCKED,
    "JAILBREAK": _BLOCKED,
    "MODEL_ARMOR": _BLOCKED,
    "OTHER": _BLOCKED,
    "PROHIBITED_CONTENT": _BLOCKED,
    "SAFETY": _BLOCKED,
}

_MAX_EXPLANATION = 500


def from_http(status: int, body: bytes) -> GoogleError:
    """Return the error of an answer that is not 200; its body may be anything, also HTML or nothing."""
    error = _error_object(body)
    details = mappings(error.get("details"))
    google_status = code(error.get("status"))
    reasons = " ".join(filter(None, (code(detail.get("reason")) for detail in details)))
    line = f"{status} {google_status} [{reasons}] {text(error.get('message'))}"
    kind, sentence = next(
        (kind, sentence) for pattern, kind, sentence in HTTP_FAILURES if re.match(pattern, line)
    )
    quota_ids = _nested_codes(details, "violations", "quotaId")
    return kind(
        sentence,
        http_status=status,
        google_status=google_status,
        reason=" ".join(
            filter(None, (reasons, *quota_ids, *_nested_codes(details, "fieldViolations", "field")))
        ),
        retry_after_s=_retry_after_s(details),
        quota_window=_quota_window(quota_ids),
    )


def from_finish_reason(reason: str, *, message: str, prose: str) -> GoogleError:
    """Return the error of a candidate without a picture; reasons that nobody knows yet are soft failures."""
    kind, sentence = FINISH_REASONS.get(reason, _SOFT)
    if reason == "STOP" and prose:
        kind, sentence = TEXT_ONLY
    explanation = (message or prose)[:_MAX_EXPLANATION]
    return kind(sentence, http_status=200, reason=reason, explanation=explanation)


def from_block_reason(reason: str) -> GoogleError:
    kind, sentence = BLOCK_REASONS.get(reason, _BLOCKED)
    return kind(sentence, http_status=200, reason=reason)


def from_rai_reason(explanation: str) -> GoogleError:
    kind, sentence = _REFUSED
    return kind(sentence, http_status=200, reason="RAI_FILTERED", explanation=explanation[:_MAX_EXPLANATION])


def is_soft(finish_reason: str) -> bool:
    """Tell whether a picture that came with this reason may be used.

    With any other reason it is a draft that stands before a final picture which was held back.
    """
    kind, _ = FINISH_REASONS.get(finish_reason, _SOFT)
    return kind is NoImageError


def _error_object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return mapping(mapping(out_of_list(answer)).get("error"))


def _nested_codes(details: Sequence[Mapping[str, Any]], group: str, name: str) -> list[str]:
    found = (code(item.get(name)) for detail in details for item in mappings(detail.get(group)))
    return [value for value in found if value]


def _quota_window(quota_ids: Sequence[str]) -> QuotaWindow | None:
    """Name the longest window that is used up."""
    if any("PerDay" in quota_id for quota_id in quota_ids):
        return "day"
    return "minute" if any("PerMinute" in quota_id for quota_id in quota_ids) else None


def _retry_after_s(details: Sequence[Mapping[str, Any]]) -> float | None:
    """Read RetryInfo, a protobuf duration such as `25s` or `34.4s`."""
    delays = (text(detail.get("retryDelay")) for detail in details)
    return next((float(delay[:-1]) for delay in delays if re.fullmatch(r"\d{1,9}(\.\d{1,9})?s", delay)), None)
