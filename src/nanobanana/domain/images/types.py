from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

ImageFormat = Literal["png", "jpeg", "webp"]

ENDINGS: dict[ImageFormat, str] = {"png": "png", "jpeg": "jpg", "webp": "webp"}
MEDIA_TYPES: dict[str, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An encoded picture of known format and size in pixels."""

    data: bytes
    format: ImageFormat
    width: int
    height: int

    @property
    def ending(self) -> str:
        return ENDINGS[self.format]


class ImageStore(Protocol):
    """Where pictures are kept. A name is the one of the row and the ending of the format."""

    async def put(self, name: str, data: bytes) -> None:
        """Keeps the picture whole or raises StoreError; a name that is taken stays as it is."""

    async def get(self, name: str) -> bytes | None: ...

    async def delete(self, name: str) -> None:
        """For good once this returns; a name that is not there is fine. Raises StoreError."""

    def file(self, name: str) -> Path | None:
        """The picture as a file to serve, where the store is a folder."""

    async def names(self, beginning: str) -> list[str]:
        """Of all that is kept under a name with this beginning, also of what a killed process left half-written."""
