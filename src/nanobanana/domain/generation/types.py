from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from nanobanana.domain.api_keys.types import Mode, Month
from nanobanana.domain.images.types import ImageFormat, ImagePlace

Size = Literal["1024x1024", "1280x896", "896x1280", "1408x768", "768x1408"]
Style = Literal["natural", "artistic"]
QuotaLimit = Literal["account_month", "key_cap", "free_pool", "balance", "spending_cap"]
ImageState = Literal["kept", "expired", "deleted"]
Refusal = QuotaLimit | Literal["idempotency_key_reused", "queue_full", "store_outage"]
State = Literal["queued", "running", "succeeded", "failed", "blocked", "cancelled", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a caller asks for. `format` None keeps the format Google answers in; `retention_s` None keeps the picture as
    long as the plan does."""

    prompt: str
    size: Size
    style: Style
    format: ImageFormat | None
    retention_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A row of `generations`: the state machine and the truth about one order."""

    id: str
    api_key_id: str
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
    # As the row has it: a picture is past its end for a moment before the row says so.
    image_state: ImageState | None
    image_format: ImageFormat | None
    # None: there is nothing of it, or nothing any more.
    image_place: ImagePlace | None
    # Of its picture, from its end on; None: for good.
    retention_s: int | None
    expires_at: datetime | None
    model: str | None
    price_micro_usd: int
    # Pictures that Google may have made, and charged, and nobody has: of attempts that were interrupted, each of which
    # may have left one in the store, and of calls that were given up for others.
    lost_attempts: int
    error_code: str | None
    error_message: str | None
    # From 1, while it is queued and somebody asks.
    queue_position: int | None = None
    # Known to the process that met the failure; no row has it.
    retry_after_s: float | None = None

    @property
    def has_ended(self) -> bool:
        return self.state not in {"queued", "running"}

    @property
    def image_state_now(self) -> ImageState | None:
        """What its owner is told: a picture whose time is up is gone, whether its file is yet or not."""
        if (
            self.image_state == "kept"
            and self.expires_at is not None
            and self.expires_at <= datetime.now(UTC)
        ):
            return "expired"
        return self.image_state

    @property
    def has_picture(self) -> bool:
        """Whether there is one to show."""
        return self.image_state_now == "kept"

    @property
    def is_stored(self) -> bool | None:
        """None: there is nothing of its picture, or nothing any more."""
        return self.image_place == "store" if self.has_picture and self.image_place else None

    @property
    def pixels(self) -> tuple[int, int]:
        width, height = self.size.split("x")
        return int(width), int(height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which generations are listed: of a time, by their ids, and of a kind; None: all."""

    created_after: datetime | None = None
    created_before: datetime | None = None
    api_key_id: str | None = None
    state: State | None = None
    size: Size | None = None
    image_state: ImageState | None = None

    @property
    def look_into_rows(self) -> bool:
        """Whether ids alone do not tell what is listed."""
        return any((self.api_key_id, self.state, self.size, self.image_state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What an order took of the speed limits, until it ends. `in_flight`: whether it may be in that window too."""

    id: str
    account_id: str
    api_key_id: str
    mode: Mode
    in_flight: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A generation, and what is to be given back when it ends."""

    generation: Generation
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """The caller's name for one image, and the hash of what it was first asked with."""

    key: str
    fingerprint: bytes

    @property
    def name(self) -> str:
        """Of both: the same for a retry, another for another wish under the same key."""
        return f"{self.fingerprint.hex()} {self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What became of an order: its row, the row that its idempotency key belongs to (`replayed`), or the name of what
    refuses it."""

    generation: Generation | None = None
    replayed: bool = False
    refusal: Refusal | None = None
    month: Month | None = None

    @property
    def admitted(self) -> Generation:
        assert self.generation is not None  # noqa: S101 - what is not refused has a row
        return self.generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """An order's generation as it stands. `replayed`: an earlier order with the same idempotency key answers.
    `headers` tell how the limits stand."""

    generation: Generation
    replayed: bool
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How one more image of a key stands to every limit; limits that are None are none."""

    price_micro_usd: int
    month_images: int
    month_limit: int | None
    month_micro_usd: int
    spending_cap_micro_usd: int | None
    balance_micro_usd: int
    key_images: int
    key_limit: int | None
    free_images: int
    free_limit: int | None
    full_limit: QuotaLimit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the plan lets an account go, and how many of its prompts were refused this day."""

    plan_images_per_hour: int | None
    refusals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an image would cost and what is left; test images cost nothing and count for nothing: `room` None."""

    room: Room | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A picture that is kept. Model and tokens are unknown when an earlier attempt stored it."""

    image_format: ImageFormat
    image_bytes: int
    image_place: ImagePlace
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_micro_usd: int | None = None
    lost_attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """Why there is no picture, with the code and message for the caller."""

    state: Literal["failed", "blocked", "cancelled", "expired"]
    error_code: str
    error_message: str
    retryable: bool
    # Times that Google may have made, and charged, a picture that never came.
    lost_attempts: int = 0
    # When trying again is worth it, where that is known.
    retry_after_s: float | None = None
