"""The errors a caller may see. Whatever a domain or integration raises on purpose derives from here.

`web/errors.py` is the one place that turns them into the JSON envelope of the contract.
"""

from collections.abc import Mapping
from typing import ClassVar


class NanoBananaError(Exception):
    """A failure with a name, an HTTP status and a sentence for the caller.

    `code` is what programs switch on, `type` the family that OpenAI-style clients know,
    `retryable` whether the same request may succeed later unchanged.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    type: ClassVar[str] = "api_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.headers = dict(headers or {})

    @property
    def more(self) -> Mapping[str, str]:
        """What the envelope says beyond the fields that all errors have."""
        return {}


class InternalError(NanoBananaError):
    """Ours, and in the log with its trace; the caller gets the request id to tell us about it."""

    def __init__(self) -> None:
        super().__init__("Something broke on our side. Tell us the request_id and we will look into it.")


class InvalidRequestError(NanoBananaError):
    status = 400
    code = "invalid_request"
    type = "invalid_request_error"


class NotFoundError(NanoBananaError):
    """Also the answer for things that belong to somebody else."""

    status = 404
    code = "not_found"
    type = "not_found_error"


class ServiceUnavailableError(NanoBananaError):
    status = 503
    code = "upstream_unavailable"
    type = "api_error"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_s)})
        self.retry_after_s = retry_after_s


class OverloadedError(ServiceUnavailableError):
    code = "overloaded"

    def __init__(
        self,
        message: str = "There is more to do than we can take on. Try again in a few seconds.",
        *,
        retry_after_s: int = 5,
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
