from collections.abc import Mapping

from nanobanana.errors import NanoBananaError


class RateLimitedError(NanoBananaError):
    status = 429
    code = "rate_limited"
    type = "rate_limit_error"
    retryable = True

    def __init__(self, *, retry_after_s: int, headers: Mapping[str, str]) -> None:
        super().__init__(
            f"Too many requests. Try again in {_in_words(retry_after_s)}.",
            headers={"Retry-After": str(retry_after_s), **headers},
        )


def _in_words(seconds: int) -> str:
    """Rounded up: whoever waits that long is not refused again."""
    if seconds < 2:
        return "a second"
    if seconds <= 90:
        return f"{seconds} seconds"
    if seconds <= 90 * 60:
        return f"{-(-seconds // 60)} minutes"
    return f"{-(-seconds // 3_600)} hours"
