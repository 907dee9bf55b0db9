"""What can go wrong at Google, as a tree of types. `failures.py` says which answer means which.

GoogleError
├── PolicyRefusalError        this prompt gets no picture
│   └── PromptBlockedError    … and nothing was generated
├── NoImageError              a soft failure: one retry is reasonable
├── BadRequestError           Google does not accept what we send
├── KeyRejectedError          invalid, expired, leaked, blocked or missing key
├── TokenRejectedError        Vertex AI wants a new token
├── BillingError              no billing, or the prepaid credits are used up
├── AccountRestrictedError    Google restricts the account or its location
├── ModelGoneError            404
├── QuotaExhaustedError       429, see `quota_window` and `retry_after_s`
├── UnavailableError          5xx
├── TimedOutError             no answer in time
├── ConnectionFailedError     Google was not reached
├── ConnectionLostError       the line broke after the request was sent
└── BrokenAnswerError         an answer that cannot be used
"""

from typing import ClassVar, Literal

# request: another request may well succeed at once; neither Google nor the route is unwell.
# route: this key, project or list of models cannot serve; another route may.
# google: Google or the line to it is unwell; what a circuit breaker counts.
Fault = Literal["request", "route", "google"]
QuotaWindow = Literal["minute", "day"]


class GoogleError(Exception):
    """A call that gave no picture.

    `retryable`: the same request may succeed later. `maybe_charged`: Google may have generated, and charged, already.
    `detail` is a sentence of ours and `str()` adds Google's codes, both for the log; `public_message` is for callers.
    `explanation` is Google's or the model's own words, bounded: it may quote the prompt, so never log it.
    """

    code: ClassVar[str] = "google_error"
    fault: ClassVar[Fault] = "google"
    retryable: ClassVar[bool] = False
    maybe_charged: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        http_status: int | None = None,
        google_status: str = "",
        reason: str = "",
        explanation: str = "",
        retry_after_s: float | None = None,
        quota_window: QuotaWindow | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.http_status = http_status
        self.google_status = google_status
        self.reason = reason
        self.explanation = explanation
        self.retry_after_s = retry_after_s
        self.quota_window = quota_window

    @property
    def public_message(self) -> str:
        """Callers learn what concerns their request, not what ails the operator's account."""
        return self.detail if self.fault == "request" else "The image model is unavailable at the moment."

    def __str__(self) -> str:
        codes = [str(code) for code in (self.http_status, self.google_status, self.reason) if code]
        return f"{self.detail} ({' '.join(codes)})" if codes else self.detail


class PolicyRefusalError(GoogleError):
    code = "policy_refusal"
    fault = "request"
    # Google says blocked images are free, but not for every reason.
    maybe_charged = True


class PromptBlockedError(PolicyRefusalError):
    code = "prompt_blocked"
    maybe_charged = False


class NoImageError(GoogleError):
    code = "no_image"
    fault = "request"
    retryable = True
    maybe_charged = True


class BadRequestError(GoogleError):
    code = "bad_request"
    fault = "request"


class KeyRejectedError(GoogleError):
    code = "key_rejected"
    fault = "route"


class TokenRejectedError(GoogleError):
    code = "token_rejected"
    retryable = True


class BillingError(GoogleError):
    code = "billing"
    fault = "route"


class AccountRestrictedError(GoogleError):
    code = "account_restricted"
    fault = "route"


class ModelGoneError(GoogleError):
    code = "model_gone"
    fault = "route"


class QuotaExhaustedError(GoogleError):
    code = "quota_exhausted"
    fault = "route"
    retryable = True


class UnavailableError(GoogleError):
    code = "unavailable"
    retryable = True


class TimedOutError(GoogleError):
    code = "timed_out"
    retryable = True
    maybe_charged = True


class ConnectionFailedError(GoogleError):
    code = "connection_failed"
    retryable = True


class ConnectionLostError(GoogleError):
    code = "connection_lost"
    retryable = True
    maybe_charged = True


class BrokenAnswerError(GoogleError):
    code = "broken_answer"
    retryable = True
    maybe_charged = True
