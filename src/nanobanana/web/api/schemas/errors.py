from typing import Any

from pydantic import BaseModel

from nanobanana.domain.generation.errors import QuotaLimit

_DESCRIPTIONS = {
    400: "`invalid_request`: the JSON or a field is wrong; `details` lists all wrong fields. "
    "`invalid_code`, `invalid_token`: what came by mail is wrong, expired or used",
    401: "`invalid_api_key`, `invalid_session` or `invalid_credentials`",
    402: "`quota_exceeded`: `limit` says which; waiting a moment does not help",
    403: "`account_suspended`, `scope_missing`, `ip_not_allowed` or `wrong_password`",
    404: "`not_found`; also for what belongs to another account",
    405: "`method_not_allowed`",
    409: "`email_taken`, `too_many_keys`, `too_many_webhooks`, `webhook_disabled`, `not_cancellable`, "
    "`not_deletable`, or `cancelled`: what was asked for was cancelled before it was made",
    410: "`image_expired` or `image_deleted`: its picture is gone",
    413: "`body_too_large`: more than 64 KiB",
    415: "`unsupported_media_type`: the body is not declared as JSON",
    422: "`content_policy`: the model, or this service, refuses the prompt or its picture; asking again is useless. "
    "`idempotency_key_reused`: the `Idempotency-Key` belongs to another request",
    429: "`rate_limited`; the header `Retry-After` says when to ask again",
    503: "`upstream_unavailable`, `overloaded` or `expired`; the header `Retry-After` says when to ask again",
}


class FieldProblem(BaseModel):
    param: str
    message: str


class ErrorBody(BaseModel):
    message: str
    type: str
    code: str
    param: str | None
    request_id: str
    retryable: bool
    charged: bool
    details: list[FieldProblem] | None = None
    limit: QuotaLimit | None = None


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


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the errors it is known for, and the envelope for all others."""
    named: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorEnvelope, "description": _DESCRIPTIONS[status]} for status in statuses
    }
    return {**named, "default": {"model": ErrorEnvelope, "description": "Any other error"}}
