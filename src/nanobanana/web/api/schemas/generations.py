import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
)

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.gallery.types import Deletion
from nanobanana.domain.generation.errors import error_of
from nanobanana.domain.generation.types import Generation, ImageState, Order, Quote, Size, State, Style
from nanobanana.domain.images.types import ImageFormat
from nanobanana.web.api.schemas.money import usd
from nanobanana.web.api.schemas.strict import RequestBody


def _without_control_characters(text: str) -> str:
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in "\n\t":
            raise ValueError(f"This must not hold the control character U+{ord(character):04X}.")
    return text


Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    AfterValidator(_without_control_characters),
]


_RETENTION = "[0-9]{1,7}[mhd]"
_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400}
_LEAST_RETENTION_S, _MOST_RETENTION_S = _UNITS_S["h"], 3_650 * _UNITS_S["d"]


def _of_some_length(retention: str) -> str:
    if not re.fullmatch(_RETENTION, retention):
        raise ValueError("This must be a whole number and m, h or d, as in 7d.")
    if not _LEAST_RETENTION_S <= _seconds(retention) <= _MOST_RETENTION_S:
        raise ValueError("This must be from 1h to 3650d.")
    return retention


def _seconds(retention: str) -> int:
    return int(retention[:-1]) * _UNITS_S[retention[-1]]


Retention = Annotated[
    str, AfterValidator(_of_some_length), WithJsonSchema({"type": "string", "pattern": f"^{_RETENTION}$"})
]


class NewGeneration(RequestBody):
    prompt: Prompt = Field(
        description="1 to 4,000 characters after trimming", examples=["a cute banana wearing sunglasses"]
    )
    size: Size = Field(default="1024x1024", description="Width x height in pixels; delivered exactly")
    style: Style = Field(
        default="natural",
        description="`natural` leaves the prompt alone, `artistic` adds a painterly direction",
    )
    format: ImageFormat | None = Field(
        default=None, description="Left out, the picture keeps the format the model made it in"
    )
    retention: Retention | None = Field(
        default=None,
        description="For how long the picture is kept: minutes (`m`), hours (`h`) or days (`d`), from `1h` to what the "
        "plan keeps pictures for, which is what holds when this is left out",
        examples=["7d"],
    )

    def order(self) -> Order:
        return Order(
            prompt=self.prompt,
            size=self.size,
            style=self.style,
            format=self.format,
            retention_s=_seconds(self.retention) if self.retention else None,
        )


class GenerationError(BaseModel):
    code: str = Field(examples=["content_policy"])
    message: str = Field(examples=["The prompt was refused by a content policy."])
    retryable: bool


class Charge(BaseModel):
    """What a generation takes of the account. Only an image that is kept or handed over is charged."""

    state: Literal["held", "captured", "released"]
    images: int = Field(description="Of the plan's month")
    amount_usd: float = Field(
        description="From the balance; 0 where the plan covers the image", examples=[0.02]
    )
    reason: str = Field(description="Why it is so", examples=["image_kept"])

    @classmethod
    def of(cls, generation: Generation) -> Self:
        if generation.mode == "test":
            return cls(state="released", images=0, amount_usd=0, reason="test_mode")
        if not generation.has_ended:
            return cls(
                state="held", images=1, amount_usd=usd(generation.price_micro_usd), reason="in_progress"
            )
        if generation.state == "succeeded":
            return cls(
                state="captured", images=1, amount_usd=usd(generation.price_micro_usd), reason="image_kept"
            )
        return cls(state="released", images=0, amount_usd=0, reason=generation.error_code or generation.state)


_NAME = "2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms"
_EXAMPLE: dict[str, JsonValue] = {
    "id": "gen_0351xffvmzhinA5Ot7fOms",
    "status": "succeeded",
    "queue_position": None,
    "url": f"https://nanobanana.example/images/{_NAME}.jpg",
    "thumbnail_url": f"https://nanobanana.example/thumbnails/{_NAME}_512.webp",
    "prompt": "a cute banana wearing sunglasses",
    "size": "1024x1024",
    "style": "natural",
    "format": "jpeg",
    "mode": "live",
    "model": "gemini-nano-banana-2.1",
    "image_state": "kept",
    "stored": True,
    "expires_at": "2026-12-28T11:30:53.425113Z",
    "charge": {"state": "captured", "images": 1, "amount_usd": 0.0, "reason": "image_kept"},
    "error": None,
    "created_at": "2026-11-28T11:30:53.100592Z",
    "finished_at": "2026-11-28T11:30:53.425113Z",
}


class GenerationView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str = Field(examples=["gen_0351xffvmzhinA5Ot7fOms"])
    status: State
    queue_position: int | None = Field(
        description="While it is queued: from 1, in the order in which they are taken up; a second old at most"
    )
    url: str | None = Field(description="Where the picture is, once there is one")
    thumbnail_url: str | None = Field(
        description="Where a small one is, WebP with 512 pixels on the longer side; made when it is first fetched"
    )
    prompt: str
    size: Size
    style: Style
    format: ImageFormat | None = Field(description="Of the picture; before there is one, what was asked for")
    mode: Mode
    model: str | None
    image_state: ImageState | None
    stored: bool | None = Field(
        description="Whether the picture is in the store; false while only this answer holds it, null without one"
    )
    expires_at: datetime | None = Field(description="When the picture goes; null: it stays, or there is none")
    charge: Charge
    error: GenerationError | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, generation: Generation, *, url: str | None, thumbnail_url: str | None) -> Self:
        return cls(
            id=generation.id,
            status=generation.state,
            queue_position=generation.queue_position,
            url=url,
            thumbnail_url=thumbnail_url,
            prompt=generation.prompt,
            size=generation.size,
            style=generation.style,
            format=generation.image_format or generation.format,
            mode=generation.mode,
            model=generation.model,
            image_state=generation.image_state_now,
            stored=generation.is_stored,
            expires_at=generation.expires_at,
            charge=Charge.of(generation),
            error=_error(generation),
            created_at=generation.created_at,
            finished_at=generation.finished_at,
        )


class Left(BaseModel):
    """What is left before this image; null where there is no limit."""

    account_month: int | None = Field(description="Images of the plan's month", examples=[482])
    key_cap: int | None = Field(description="Images of the key's month")
    free_pool: int | None = Field(description="Free images of the day, of all free accounts together")
    balance_usd: float | None
    spending_cap_usd: float | None


class DryRun(BaseModel):
    """The order is valid and would be admitted now. Nothing was made, held or counted."""

    dry_run: Literal[True] = True
    images: int = Field(description="What the image would take of the plan's month")
    amount_usd: float = Field(description="What it would take from the balance", examples=[0.0])
    left: Left

    @classmethod
    def of(cls, quote: Quote) -> Self:
        room = quote.room
        if room is None:
            nothing = Left(
                account_month=None, key_cap=None, free_pool=None, balance_usd=None, spending_cap_usd=None
            )
            return cls(images=0, amount_usd=0, left=nothing)
        paid = room.price_micro_usd > 0
        spending_left = _left(room.spending_cap_micro_usd, room.month_micro_usd)
        return cls(
            images=1,
            amount_usd=usd(room.price_micro_usd),
            left=Left(
                account_month=_left(room.month_limit, room.month_images),
                key_cap=_left(room.key_limit, room.key_images),
                free_pool=_left(room.free_limit, room.free_images),
                balance_usd=usd(room.balance_micro_usd) if paid else None,
                spending_cap_usd=usd(spending_left) if paid and spending_left is not None else None,
            ),
        )


class GenerationPage(BaseModel):
    data: list[GenerationView]
    has_more: bool = Field(
        description="Whether to ask for the next page, also after one that is short or empty"
    )
    next_cursor: str | None


class Deletions(RequestBody):
    ids: list[Annotated[str, StringConstraints(pattern=r"^gen_[0-9A-Za-z]{22}$")]] = Field(
        min_length=1, max_length=100, examples=[["gen_0351xffvmzhinA5Ot7fOms"]]
    )


class DeletionView(BaseModel):
    id: str = Field(examples=["gen_0351xffvmzhinA5Ot7fOms"])
    result: Deletion = Field(description="`not_deletable`: it has not ended")


class DeletionList(BaseModel):
    data: list[DeletionView]


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _error(generation: Generation) -> GenerationError | None:
    if generation.error_code is None or generation.error_message is None:
        return None
    error = error_of(generation.error_code, generation.error_message)
    return GenerationError(code=error.code, message=error.message, retryable=error.retryable)
