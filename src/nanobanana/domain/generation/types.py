from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.images.types import ImageFormat

Size = Literal["1024x1024", "1280x896", "896x1280", "1408x768", "768x1408"]
Style = Literal["natural", "artistic"]
State = Literal["queued", "running", "succeeded", "failed", "blocked", "cancelled", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a caller asks for. `format` None keeps the format Google answers in."""

    prompt: str
    size: Size
    style: Style
    format: ImageFormat | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A row of `generations`: the state machine and the truth about one order."""

    id: str
    mode: Mode
    prompt: str
    size: Size
    style: Style
    format: ImageFormat | None
    state: State
    attempt: int
    created_at: datetime
    finished_at: datetime | None
    image_name: str
    image_state: Literal["kept", "expired", "deleted"] | None
    image_format: ImageFormat | None
    model: str | None
    error_code: str | None
    error_message: str | None

    @property
    def pixels(self) -> tuple[int, int]:
        width, height = self.size.split("x")
        return int(width), int(height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A picture that is in the store. Model and tokens are unknown when an earlier attempt stored it."""

    image_format: ImageFormat
    image_bytes: int
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """Why there is no picture: `blocked` by policy or `failed`, with the code and message for the caller."""

    state: Literal["failed", "blocked"]
    error_code: str
    error_message: str
