from nanobanana.domain.generation.types import Generation
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


def error_of(generation: Generation) -> NanoBananaError:
    """The error that a generation without a picture ended in."""
    error = _BY_CODE[generation.error_code or UpstreamUnavailableError.code]
    return error(generation.error_message or "The image was not made.")
