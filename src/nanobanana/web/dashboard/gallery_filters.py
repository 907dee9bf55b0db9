"""What the gallery shows of all that was made, as its form asks for it."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

from nanobanana.domain.generation.types import Filters, ImageState, Size, State


def _in_our_years(day: date) -> date:
    if not 2000 <= day.year < 3000:
        raise ValueError("This must be a day from 2000 to 2999.")
    return day


# In years that there are ids of, and a day after.
Day = Annotated[date, AfterValidator(_in_our_years)]


class GalleryFilters(BaseModel):
    """Days are UTC's, and the last one counts too."""

    key: Annotated[str, Field(pattern=r"^key_[0-9A-Za-z]{22}$")] | None = None
    status: State | None = None
    size: Size | None = None
    picture: ImageState | None = None
    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")

    @field_validator("last")
    @classmethod
    def _not_before_the_first(cls, last: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first")
        if last and first and last < first:
            raise ValueError("This must not be before the first day.")
        return last

    @classmethod
    def names(cls) -> frozenset[str]:
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    def filters(self) -> Filters:
        return Filters(
            created_after=_beginning(self.first) if self.first else None,
            created_before=_beginning(self.last + timedelta(days=1)) if self.last else None,
            api_key_id=self.key,
            state=self.status,
            size=self.size,
            image_state=self.picture,
        )


def _beginning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
