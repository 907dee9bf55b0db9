from nanobanana.errors import NanoBananaError, ServiceUnavailableError


class ContentPolicyError(NanoBananaError):
    """The model's owner refuses this prompt or its picture; the same prompt will be refused again."""

    status = 422
    code = "content_policy"
    type = "content_policy_error"


class UpstreamUnavailableError(ServiceUnavailableError):
    """No image came, for a reason that may pass."""


_BY_CODE: dict[str, type[NanoBananaError]] = {
    ContentPolicyError.code: ContentPolicyError,
    UpstreamUnavailableError.code: UpstreamUnavailableError,
}


def error_of(code: str, message: str) -> NanoBananaError:
    """The error that a generation without a picture ended in, of what its row says."""
    return _BY_CODE[code](message)
