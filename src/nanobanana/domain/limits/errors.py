from collections.abc import Mapping

from nanobanana.errors import NanoBananaError


class RateLimitedError(NanoBananaError):
    status = 429
    code = "rate_limited"
    type = "rate_limit_error"
    retryable = True

    def __init__(self, *, retry_after_s: int, headers: Mapping[str, str]) -> None:
        super().__init__(
            f"Too many requests. Try again in {retry_after_s} s.",
            headers={"Retry-After": str(retry_after_s), **headers},
        )
