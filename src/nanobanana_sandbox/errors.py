"""Google's error answers, with the texts that were observed."""

from collections.abc import Sequence
from typing import Any

from nanobanana_sandbox.calls import Call

_TYPE = "type.googleapis.com/google.rpc."
_RATE_LIMITS = "https://ai.google.dev/gemini-api/docs/rate-limits"
_SERVICE = "generativelanguage.googleapis.com"


class GoogleError(Exception):
    """An answer that is no picture: `{"error": {code, message, status[, details]}}`."""

    def __init__(self, code: int, status: str, message: str, details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, Any] = {"error": {"code": code, "message": message, "status": status}}
        if details:
            self.body["error"]["details"] = list(details)


def invalid_argument(message: str) -> GoogleError:
    return GoogleError(400, "INVALID_ARGUMENT", message)


def invalid_payload(violations: Sequence[tuple[str, str]]) -> GoogleError:
    """Answer for `(field, description)` pairs; an empty field is the message itself."""
    found = [
        {"field": field, "description": text} if field else {"description": text}
        for field, text in violations
    ]
    details = [{"@type": f"{_TYPE}BadRequest", "fieldViolations": found}]
    return GoogleError(400, "INVALID_ARGUMENT", "\n".join(text for _, text in violations), details)


def api_key_invalid(_: Call | None = None) -> GoogleError:
    return _bad_key("API key not valid. Please pass a valid API key.")


def api_key_expired(_: Call) -> GoogleError:
    return _bad_key("API key expired. Please renew the API key.")


def unregistered_caller(_: Call | None = None) -> GoogleError:
    return _denied(
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or"
        " other form of API consumer identity to call this API."
    )


def missing_credentials() -> GoogleError:
    return GoogleError(
        401,
        "UNAUTHENTICATED",
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other"
        " valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    )


def api_key_leaked(_: Call) -> GoogleError:
    return _denied("Your API key was reported as leaked. Please use another API key.", "API_KEY_INVALID")


def api_key_blocked(call: Call) -> GoogleError:
    method = f"google.ai.generativelanguage.{call.version}.GenerativeService.{_capitalized(call.method)}"
    message = f"Requests to this API {_SERVICE} method {method} are blocked."
    return _denied(message, "API_KEY_SERVICE_BLOCKED")


def location_unsupported(_: Call) -> GoogleError:
    return GoogleError(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")


def billing_needed(_: Call) -> GoogleError:
    message = (
        "This API method requires billing to be enabled. Please enable billing on the project and retry."
    )
    return GoogleError(400, "FAILED_PRECONDITION", message)


def ratio_not_enabled(_: Call | None = None) -> GoogleError:
    return invalid_argument("Aspect ratio is not enabled for this model")


def size_not_enabled() -> GoogleError:
    # No capture of this text exists; it is modelled on the one for ratios.
    return invalid_argument("Image size is not enabled for this model")


def model_not_found(call: Call) -> GoogleError:
    if call.is_vertex:
        message = (
            f"Publisher model '{call.model_name}' was not found or your project does not have access to it"
        )
    else:
        message = (
            f"{call.model_name} is not found for API version {call.version}, or is not supported for {call.method}."
            " Call ListModels to see the list of available models and their supported methods."
        )
    return GoogleError(404, "NOT_FOUND", message)


def model_retired(call: Call, replacement: str = "gemini-nano-banana-2.1") -> GoogleError:
    return _no_longer_available(call, "", replacement)


def model_closed_to_new_users(call: Call) -> GoogleError:
    return _no_longer_available(call, " to new users", "gemini-nano-banana-2.1")


def quota_exhausted(call: Call, *, window: str, limit: int, retry_after_s: float) -> GoogleError:
    """Answer 429 with its details. `window` is PerMinute or PerDay; `limit` 0 is a free key, which has no images."""
    tier = "free" if limit == 0 else "paid"
    metric = f"{_SERVICE}/generate_content_{tier}_tier_requests"
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this"
        f" error, head to: {_RATE_LIMITS}. To monitor your current usage, head to: https://ai.dev/rate-limit. \n"
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: {call.model_id}\n"
        f"Please retry in {retry_after_s:.9g}s."
    )
    violation = {
        "quotaMetric": metric,
        "quotaId": f"GenerateRequests{window}PerProjectPerModel-{tier.capitalize()}Tier",
        "quotaDimensions": {"location": "global", "model": call.model_id},
        "quotaValue": str(limit),
    }
    links = [{"description": "Learn more about Gemini API quotas", "url": _RATE_LIMITS}]
    details: list[dict[str, Any]] = [
        {"@type": f"{_TYPE}Help", "links": links},
        {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
        {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{retry_after_s:.9g}s"},
    ]
    return GoogleError(429, "RESOURCE_EXHAUSTED", message, details)


def prepayment_depleted(_: Call) -> GoogleError:
    return GoogleError(
        429,
        "RESOURCE_EXHAUSTED",
        "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your"
        " project and billing.",
    )


def resource_exhausted(_: Call) -> GoogleError:
    return GoogleError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")


def vertex_capacity(_: Call) -> GoogleError:
    return GoogleError(
        429,
        "RESOURCE_EXHAUSTED",
        "Resource exhausted. Please try again later. Please refer to"
        " https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    )


def internal(_: Call) -> GoogleError:
    return GoogleError(
        500,
        "INTERNAL",
        "An internal error has occurred. Please retry or report in"
        " https://developers.generativeai.google/guide/troubleshooting",
    )


def overloaded(_: Call) -> GoogleError:
    return GoogleError(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def high_demand(_: Call) -> GoogleError:
    return GoogleError(
        503,
        "UNAVAILABLE",
        "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again"
        " later.",
    )


def unavailable(_: Call) -> GoogleError:
    return GoogleError(503, "UNAVAILABLE", "The service is currently unavailable.")


def deadline_expired_503(_: Call) -> GoogleError:
    return GoogleError(503, "UNAVAILABLE", "Deadline expired before operation could complete.")


def deadline_exceeded(_: Call | None = None) -> GoogleError:
    return GoogleError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")


def _bad_key(message: str) -> GoogleError:
    details: list[dict[str, Any]] = [
        {
            "@type": f"{_TYPE}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": _SERVICE},
        },
        {"@type": f"{_TYPE}LocalizedMessage", "locale": "en-US", "message": message},
    ]
    return GoogleError(400, "INVALID_ARGUMENT", message, details)


def _denied(message: str, reason: str | None = None) -> GoogleError:
    info = {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    return GoogleError(403, "PERMISSION_DENIED", message, [info] if reason else [])


def _no_longer_available(call: Call, to_whom: str, replacement: str) -> GoogleError:
    message = (
        f"This model models/{call.model_id} is no longer available{to_whom}. Please update your code to use"
        f" models/{replacement} for the latest features and improvements."
    )
    return GoogleError(404, "NOT_FOUND", message)


def _capitalized(name: str) -> str:
    return name[:1].upper() + name[1:]
