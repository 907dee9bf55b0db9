import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.generation.errors import error_of
from nanobanana.domain.generation.types import Generation, Order, Size, State, Style
from nanobanana.domain.images.types import ImageFormat
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

    def order(self) -> Order:
        return Order(prompt=self.prompt, size=self.size, style=self.style, format=self.format)


class GenerationError(BaseModel):
    code: str
    message: str
    retryable: bool


class GenerationView(BaseModel):
    id: str = Field(examples=["gen_0351xffvmzhinA5Ot7fOms"])
    status: State
    url: str | None = Field(description="Where the picture is, once there is one")
    prompt: str
    size: Size
    style: Style
    format: ImageFormat | None = Field(description="Of the picture; before there is one, what was asked for")
    mode: Mode
    model: str | None
    image_state: Literal["kept", "expired", "deleted"] | None
    error: GenerationError | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, generation: Generation, *, url: str | None) -> Self:
        return cls(
            id=generation.id,
            status=generation.state,
            url=url,
            prompt=generation.prompt,
            size=generation.size,
            style=generation.style,
            format=generation.image_format or generation.format,
            mode=generation.mode,
            model=generation.model,
            image_state=generation.image_state,
            error=_error(generation),
            created_at=generation.created_at,
            finished_at=generation.finished_at,
        )


class GenerationPage(BaseModel):
    data: list[GenerationView]
    has_more: bool
    next_cursor: str | None


def _error(generation: Generation) -> GenerationError | None:
    if generation.error_code is None or generation.error_message is None:
        return None
    error = error_of(generation.error_code, generation.error_message)
    return GenerationError(code=error.code, message=error.message, retryable=error.retryable)
