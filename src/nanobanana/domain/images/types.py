from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

ImageFormat = Literal["png", "jpeg", "webp"]
# store: where the settings say. database: in PostgreSQL for a day, because there is no store. waiting: in PostgreSQL,
# until the store takes it.
ImagePlace = Literal["store", "database", "waiting"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPicture:
    """How a picture that waits for the store stands. `place`: what its row says; None: there is no such row, or its
    attempt has not settled it. `has_bytes`: not when it is deleted. `is_wanted`: its generation has not ended, and who takes
    that over adopts it, however long nobody does. `keep_s`: what is left of its life."""

    name: str
    has_bytes: bool
    is_old: bool
    is_wanted: bool
    place: ImagePlace | None
    keep_s: int | None

    @property
    def is_due(self) -> bool:
        return self.has_bytes and self.place == "waiting" and (self.keep_s is None or self.keep_s > 0)

    @property
    def is_dead(self) -> bool:
        """Deleted, or left behind by an attempt that never settled it."""
        return not self.has_bytes or (self.place is None and self.is_old and not self.is_wanted)


class ImageStore(Protocol):
    """Where pictures are kept. A name is the one of the row and the ending of the format."""

    @property
    def place(self) -> ImagePlace:
        """What rows say of pictures that are kept here."""

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        """Keeps the picture whole or raises StoreError; a name that is taken stays as it is. `keep_s`: for how many
        seconds caches may keep it too; None: for good."""

    async def get(self, name: str) -> bytes | None:
        """None when it is not there. Raises StoreError."""

    async def has(self, name: str) -> bool:
        """Whether it is there, without its bytes. Raises StoreError."""

    async def delete(self, names: Sequence[str]) -> None:
        """For good once this returns; a name that is not there is fine. Raises StoreError."""

    def link(self, name: str, *, expires_at: datetime | None) -> str | None:
        """Where everybody can fetch the picture, until it expires at most, or its path with us; None when only an answer
        can hold it. Asks nobody."""

    @property
    def origin(self) -> str | None:
        """Of the links, as `https://pictures.example.com`; None when they lead to us, or there are none."""

    def file(self, name: str) -> Path | None:
        """The picture as a file to serve, where the store is a folder."""

    async def names(self, beginning: str) -> list[str]:
        """Of all that is kept under a name with this beginning, also of what a killed process left half-written."""
