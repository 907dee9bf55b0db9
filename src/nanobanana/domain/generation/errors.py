import math
from collections.abc import Mapping
from typing import Literal

from nanobanana.errors import InvalidRequestError, NanoBananaError, OverloadedError, ServiceUnavailableError

QuotaLimit = Literal["account_month", "key_cap", "free_pool", "balance", "spending_cap"]


class ContentPolicyError(NanoBananaError):
    """The model's owner, or we, refuse this prompt or its picture; the same prompt will be refused again."""

    status = 422
    code = "content_policy"
    type = "content_policy_error"


class UpstreamUnavailableError(ServiceUnavailableError):
    """No image came, for a reason that may pass."""


class ExpiredError(ServiceUnavailableError):
    """It waited as long as anything may wait, and no route to a model came back."""

    code = "expired"


class QueueFullError(OverloadedError):
    """As many orders wait as we can promise to make."""

    def __init__(self) -> None:
        super().__init__(
            "As many images wait for the image model as we can promise to make. Try again in a minute.",
            retry_after_s=60,
        )


class StoreOutageError(OverloadedError):
    """The store is away, and as many pictures wait for it as may."""

    def __init__(self) -> None:
        super().__init__(
            "Pictures cannot be stored at the moment, and as many wait for it as we can keep. Try again in half a minute.",
            retry_after_s=30,
        )


class CancelledError(NanoBananaError):
    """Somebody of the account cancelled what this call asked for."""

    status = 409
    code = "cancelled"
    type = "invalid_request_error"


class NotCancellableError(NanoBananaError):
    status = 409
    code = "not_cancellable"
    type = "invalid_request_error"

    def __init__(self, state: str) -> None:
        super().__init__(f"Only a queued generation can be cancelled; this one is {state}.")


class QuotaExceededError(NanoBananaError):
    """Waiting a moment does not help; `limit` says whose limit it is."""

    status = 402
    code = "quota_exceeded"
    type = "insufficient_quota"

    def __init__(self, limit: QuotaLimit) -> None:
        super().__init__(_QUOTA_MESSAGES[limit])
        self.limit = limit

    @property
    def more(self) -> Mapping[str, str]:
        return {"limit": self.limit}


_QUOTA_MESSAGES: Mapping[QuotaLimit, str] = {
    "account_month": "The images of this account's plan are used up for this month.",
    "key_cap": "The images that this API key's owner allows it a month are used up.",
    "free_pool": "The free images of this day are used up for all free accounts.",
    "balance": "The balance of this account does not cover another image.",
    "spending_cap": "Another image would exceed the spending cap of this account.",
}


class IdempotencyKeyReusedError(NanoBananaError):
    status = 422
    code = "idempotency_key_reused"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Choose a new one for each.")


_BY_CODE: dict[str, type[NanoBananaError]] = {
    ContentPolicyError.code: ContentPolicyError,
    InvalidRequestError.code: InvalidRequestError,
    UpstreamUnavailableError.code: UpstreamUnavailableError,
    ExpiredError.code: ExpiredError,
    CancelledError.code: CancelledError,
}


def error_of(code: str, message: str, *, retry_after_s: float | None = None) -> NanoBananaError:
    """The error that a generation without a picture ended in, of what its row says."""
    kind = _BY_CODE[code]
    if retry_after_s is not None and issubclass(kind, ServiceUnavailableError):
        return kind(message, retry_after_s=math.ceil(retry_after_s))
    return kind(message)
