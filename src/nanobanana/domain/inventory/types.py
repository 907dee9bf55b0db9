"""What is held against each other: rows that say where pictures are, and files that a store has."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from nanobanana.domain.images.types import ENDINGS, ImageFormat, ImagePlace, ImageStore
from nanobanana.kit.ids import milliseconds_of

RowFinding = Literal["file_missing", "wrong_size", "waiting_bytes_missing", "unreadable"]
FileFinding = Literal["row_ended", "row_unknown"]


class ListedStore(ImageStore, Protocol):
    """A store that can be gone through, millions of files too."""

    async def days(self) -> list[str]:
        """Those of which there may be files, as `2026/11/28`, in order. Raises StoreError."""

    def listed(self, day: str) -> AsyncIterator[tuple[str, int]]:
        """Names and sizes of all files of a day in order of the names. Raises StoreError."""

    async def size(self, name: str) -> int | None:
        """In bytes; None when it is not there. Raises StoreError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A generation, as far as its picture goes. `ended` ones never get another; `living` ones have one by right."""

    id: str
    image_name: str
    image_format: ImageFormat | None
    image_bytes: int | None
    image_place: ImagePlace | None
    ended: bool
    living: bool
    # Until it expires; None: for good.
    keep_s: int | None
    waiting_bytes: int | None

    @property
    def milliseconds(self) -> int:
        return milliseconds_of(self.id)

    @property
    def in_store(self) -> bool:
        return self.living and self.image_place == "store"

    @property
    def file_name(self) -> str | None:
        return f"{self.image_name}.{ENDINGS[self.image_format]}" if self.image_format else None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    name: str
    milliseconds: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`name` is the file's; a file that no row knows has no generation."""

    kind: RowFinding | FileFinding
    name: str
    generation_id: str | None
    milliseconds: int
    detail: str

    @property
    def is_file(self) -> bool:
        """A file without a row, rather than a row without its file."""
        return self.kind in {"row_ended", "row_unknown"}


@dataclass(slots=True)
class Counts:
    rows: int = 0
    # Of those, how many have a living picture in the store, and in the table of those that wait for it.
    pictures: int = 0
    waiting: int = 0
    files: int = 0
    bytes: int = 0
    # Files by names that were never ours.
    foreign: int = 0
    read: int = 0
    findings: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Moved:
    """What became of the living pictures, and of their thumbnails beside them."""

    pictures: int = 0
    bytes: int = 0
    copied: int = 0
    there_before: int = 0
    # Deleted or expired before their turn.
    gone: int = 0
    # Files in the target, of pictures that were deleted or expired since an earlier run.
    removed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    name: str
    reason: str
