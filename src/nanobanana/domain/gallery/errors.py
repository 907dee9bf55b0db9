from datetime import UTC, datetime

from nanobanana.domain.generation.types import ImageState
from nanobanana.errors import NanoBananaError


class ImageExpiredError(NanoBananaError):
    status = 410
    code = "image_expired"
    type = "not_found_error"


class ImageDeletedError(NanoBananaError):
    status = 410
    code = "image_deleted"
    type = "not_found_error"


class NotDeletableError(NanoBananaError):
    status = 409
    code = "not_deletable"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__(
            "This generation has not ended. Cancel it while it is queued, or delete it once it is made."
        )


def gone(image_state: ImageState | None, *, at: datetime | None) -> NanoBananaError | None:
    """The error for a picture that was there and is no more."""
    when = f" on {at.astimezone(UTC):%Y-%m-%d at %H:%M:%S} UTC" if at else ""
    if image_state == "expired":
        return ImageExpiredError(f"This image expired{when}: that is how long its picture was kept.")
    if image_state == "deleted":
        return ImageDeletedError(f"This image was deleted{when}.")
    return None
