"""How an order becomes a prompt, and what a failure of Google's means for the caller."""

from nanobanana.domain.generation.errors import ContentPolicyError, UpstreamUnavailableError
from nanobanana.domain.generation.types import NotMade, Style
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.integrations.google.errors import GoogleError, PolicyRefusalError
from nanobanana.integrations.object_store.errors import StoreError

# Added after the prompt, so that the caller's words come first. Documented in the README.
_DIRECTIONS: dict[Style, str] = {
    "natural": "",
    "artistic": "\n\nRender this as an expressive work of art: painterly brushwork, deliberate composition, "
    "rich but harmonious colours, dramatic light.",
}


def directed(prompt: str, style: Style) -> str:
    return prompt + _DIRECTIONS[style]


def explain(error: GoogleError | UnusablePictureError | StoreError) -> NotMade:
    """What the caller is told; the error's own text may be Google's or the system's and stays in the log."""
    if isinstance(error, PolicyRefusalError):
        return NotMade(
            state="blocked", error_code=ContentPolicyError.code, error_message=error.public_message
        )
    if isinstance(error, GoogleError):
        return failed(error.public_message)
    if isinstance(error, UnusablePictureError):
        return failed("The image model sent an unusable picture.")
    return failed("The picture could not be stored.")


def failed(reason: str) -> NotMade:
    return NotMade(state="failed", error_code=UpstreamUnavailableError.code, error_message=reason)
