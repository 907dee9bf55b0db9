from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nanobanana.domain.generation.types import ImageState
from nanobanana.domain.images.types import ENDINGS, ImageFormat, ImagePlace

Deletion = Literal["deleted", "not_deletable", "not_found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPicture:
    """The picture of a row, found by its name, as it stands at this moment."""

    image_name: str
    image_format: ImageFormat | None
    # None: nothing of it is anywhere.
    image_place: ImagePlace | None
    # None: it is still being made, or never came.
    image_state: ImageState | None
    expires_at: datetime | None
    # Seconds until then; None: for good.
    keep_s: int | None

    @property
    def file_name(self) -> str | None:
        return f"{self.image_name}.{ENDINGS[self.image_format]}" if self.image_format else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A deleted generation whose picture is still somewhere."""

    id: str
    image_name: str
    image_format: ImageFormat
