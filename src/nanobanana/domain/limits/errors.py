from collections.abc import Mapping
from types import MappingProxyType

from nanobanana.errors import NanoBananaError


class RateLimitedError(NanoBananaError):
    status = 429
    code = "rate_limited"
    type = "rate_limit_error"
    retryable = True

    def __init__(
        self,
        what: str = "Too many requests.",
        *,
        retry_after_s: int,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(
            f"{what} Try again in {_in_words(retry_after_s)}.",
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
    if seconds <= 48 * 3_600:
        return f"{-(-seconds // 3_600)} hours"
    return f"{-(-seconds // 86_400)} days"
