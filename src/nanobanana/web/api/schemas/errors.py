from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from nanobanana.domain.generation.errors import QuotaLimit

# What each code means, by status.
_MEANINGS: Mapping[int, Mapping[str, str]] = {
    400: {
        "invalid_request": "the JSON or a field is wrong; `details` lists all wrong fields",
        "invalid_code": "the code of the mail is wrong, expired or used up",
        "invalid_token": "the link of the mail is wrong, expired or used",
    },
    401: {
        "invalid_api_key": "no key, or none that is valid",
        "invalid_session": "no session, or none that is valid",
        "invalid_credentials": "address or password is wrong",
    },
    402: {"quota_exceeded": "`limit` says which; waiting a moment does not help"},
    403: {
        "account_suspended": "the operator knows why",
        "scope_missing": "the key may not do this",
        "ip_not_allowed": "the key may not be used from this address",
        "wrong_password": "`current_password` is wrong",
    },
    404: {"not_found": "also for what belongs to another account"},
    409: {
        "email_taken": "the address has an account",
        "too_many_keys": "no account has more",
        "too_many_webhooks": "no account has more",
        "webhook_disabled": "enable it first",
        "not_cancellable": "it is not queued",
        "not_deletable": "it has not ended",
        "cancelled": "what was asked for was cancelled before it was made",
    },
    410: {"image_expired": "the picture's time is up", "image_deleted": "the picture was deleted"},
    413: {"body_too_large": "more than 64 KiB"},
    415: {"unsupported_media_type": "the body is not declared as JSON"},
    422: {
        "content_policy": "the model, or this service, refuses the prompt or its picture; asking again is useless",
        "idempotency_key_reused": "the `Idempotency-Key` belongs to another request",
    },
    429: {"rate_limited": "the header `Retry-After` says when to ask again"},
    503: {
        "upstream_unavailable": "no image came, for a reason that may pass; `Retry-After` says when to ask again",
        "overloaded": "more to do than can be taken on; `Retry-After` says when to ask again",
        "expired": "it waited for a model as long as anything may",
    },
}

# What is met by whoever sends a body, comes with a session, or with a key or a session.
BODY = ("invalid_request", "body_too_large", "unsupported_media_type")
SESSION = ("invalid_session",)
KEY = ("invalid_api_key", "account_suspended", "scope_missing", "ip_not_allowed")
KEY_OR_SESSION = (*KEY, *SESSION)


class FieldProblem(BaseModel):
    param: str
    message: str


class ErrorBody(BaseModel):
    message: str = Field(description="For people; its words may change")
    type: str = Field(description="The family of the error")
    code: str = Field(description="For programs")
    param: str | None = Field(description="The first field that is wrong")
    request_id: str = Field(description="As in the header `X-Request-Id`: name it when you ask about it")
    retryable: bool = Field(description="Whether the same request may succeed later")
    charged: bool = Field(description="Always false: no image, no charge")
    details: list[FieldProblem] | None = Field(default=None, description="All fields that are wrong")
    limit: QuotaLimit | None = Field(default=None, description="What is used up")


class ErrorEnvelope(BaseModel):
    error: ErrorBody

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "error": {
                        "message": "prompt: This is required.",
                        "type": "invalid_request_error",
                        "code": "invalid_request",
                        "param": "prompt",
                        "request_id": "req_0351xffvmzhinA5Ot7fOms",
                        "retryable": False,
                        "charged": False,
                        "details": [{"param": "prompt", "message": "This is required."}],
                    }
                }
            ]
        }
    }


def error_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the errors it is known for, and the envelope for all others."""
    named: dict[int | str, dict[str, Any]] = {}
    for status, meanings in _MEANINGS.items():
        if found := [f"`{code}`: {meaning}" for code, meaning in meanings.items() if code in codes]:
            named[status] = {"model": ErrorEnvelope, "description": ". ".join(found)}
    return {**named, "default": {"model": ErrorEnvelope, "description": "Any other error"}}
