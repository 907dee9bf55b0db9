import pytest

from nanobanana.domain.limits.errors import RateLimitedError


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a second"),
        (1, "a second"),
        (2, "2 seconds"),
        (90, "90 seconds"),
        (91, "2 minutes"),
        (840, "14 minutes"),
        (5_400, "90 minutes"),
        (5_401, "2 hours"),
        (86_400, "24 hours"),
    ],
)
def test_the_wait_is_told_in_words_and_never_too_short(seconds: int, words: str) -> None:
    error = RateLimitedError(retry_after_s=seconds, headers={})

    assert error.message == f"Too many requests. Try again in {words}."
    assert error.headers["Retry-After"] == str(seconds)
