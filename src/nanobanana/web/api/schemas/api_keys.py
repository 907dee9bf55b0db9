from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Self, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from nanobanana.domain.api_keys.rules import normalised_network
from nanobanana.domain.api_keys.types import ApiKey, IssuedKey, KeySettings, Mode, Scope
from nanobanana.web.api.schemas.moments import begin_of
from nanobanana.web.api.schemas.strict import RequestBody

# What is later is a mistake, and near the end of what a date can hold.
_LAST_YEAR = 9000


def _moment(value: object) -> datetime:
    """A day is its beginning."""
    try:
        moment = datetime.fromisoformat(begin_of(value)) if isinstance(value, str) else None
        if moment and moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("This must be a day or a moment with its zone, as in '2027-01-31T08:00:00Z'.")


def _in_the_future(moment: datetime) -> datetime:
    if not datetime.now(UTC) < moment < datetime(_LAST_YEAR, 1, 1, tzinfo=UTC):
        raise ValueError(f"This must lie in the future, and before the year {_LAST_YEAR}.")
    return moment


def _network(text: str) -> str:
    try:
        return normalised_network(text)
    except ValueError:
        raise ValueError("This must be an IP address, or a network as in '203.0.113.0/24'.") from None


def _once_each(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
FutureMoment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_the_future)]
ImageCap = Annotated[int, Field(ge=1, le=1_000_000_000)]
HourlyImages = Annotated[int, Field(ge=1, le=1_000_000)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=10), AfterValidator(_once_each)]
Network = Annotated[str, StringConstraints(max_length=50), AfterValidator(_network)]
Networks = Annotated[list[Network], Field(min_length=1, max_length=50), AfterValidator(_once_each)]

_ALL_SCOPES: list[Scope] = ["generate", "read", "usage"]

_EXPIRES_AT = "From then on the key is refused; null: never"
_FROM_THEN_ON = f"{_EXPIRES_AT}. A day is its beginning, in UTC"
_IMAGE_CAP = "Images a month that the key may make at most, in UTC's months; null: what the plan allows"
_IMAGES_PER_HOUR = "Images an hour that the key may make at most; null: what the plan allows"
_SCOPES = "`generate`: ask for images, `read`: look them up, `usage`: see figures"
_ADDRESSES = "IP addresses and networks that may use the key, 50 at most; null: all"


class NewApiKey(RequestBody):
    name: Name = Field(default="API key", examples=["my side project"])
    mode: Mode = Field(default="live", description="`test` keys draw in the sandbox and never reach Google")
    expires_at: FutureMoment | None = Field(default=None, description=_FROM_THEN_ON)
    monthly_image_cap: ImageCap | None = Field(default=None, description=_IMAGE_CAP)
    images_per_hour: HourlyImages | None = Field(default=None, description=_IMAGES_PER_HOUR)
    scopes: Scopes = Field(default=_ALL_SCOPES, description=_SCOPES)
    allowed_addresses: Networks | None = Field(
        default=None, description=_ADDRESSES, examples=[["203.0.113.0/24"]]
    )

    def settings(self) -> KeySettings:
        return cast("KeySettings", self.model_dump(exclude={"mode"}))


class ApiKeyChanges(RequestBody):
    """What is left out stays; null takes a setting away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"monthly_image_cap": 200}]})

    # The defaults without null are never used: settings() holds only what the caller sent.
    name: Name = Field(default_factory=str)
    expires_at: FutureMoment | None = Field(default=None, description=_FROM_THEN_ON)
    monthly_image_cap: ImageCap | None = Field(default=None, description=_IMAGE_CAP)
    images_per_hour: HourlyImages | None = Field(default=None, description=_IMAGES_PER_HOUR)
    scopes: Scopes = Field(default_factory=list, description=_SCOPES)
    allowed_addresses: Networks | None = Field(default=None, description=_ADDRESSES)
    disabled: bool = Field(
        default_factory=bool, description="A disabled key is refused until it is enabled again"
    )

    def settings(self) -> KeySettings:
        return cast("KeySettings", self.model_dump(exclude_unset=True))


class Rotation(RequestBody):
    overlap_seconds: Annotated[int, Field(ge=0, le=604_800)] = Field(
        default=86_400, description="How long the present text goes on working: up to 7 days, 0 ends it now"
    )


class ApiKeyInfo(BaseModel):
    """A key without its text, which nobody has but its owner."""

    id: str = Field(examples=["key_0351xffvmzhinA5Ot7fOms"])
    name: str = Field(examples=["shop"])
    mode: Mode
    last4: str = Field(description="The last four characters, to tell keys apart", examples=["4Txz"])
    previous_last4: str | None = Field(description="Of the text before the last rotation")
    previous_expires_at: datetime | None = Field(
        description="Until then the text before the last rotation works too"
    )
    expires_at: datetime | None = Field(description=_EXPIRES_AT)
    monthly_image_cap: int | None = Field(description=_IMAGE_CAP)
    images_per_hour: int | None = Field(description=_IMAGES_PER_HOUR)
    scopes: list[Scope] = Field(examples=[["generate"]])
    allowed_addresses: list[str] | None = Field(description=_ADDRESSES)
    disabled: bool
    last_used_at: datetime | None = Field(description="To the minute; uses that were refused do not count")
    created_at: datetime

    @classmethod
    def of(cls, api_key: ApiKey) -> Self:
        return cls.model_validate(api_key, from_attributes=True)


class ShownApiKey(ApiKeyInfo):
    """The one answer that holds the key. Keep it now: it is not stored and cannot be shown again."""

    key: str = Field(examples=["nb_live_..."])

    @classmethod
    def shown(cls, issued: IssuedKey) -> Self:
        return cls(key=issued.text, **ApiKeyInfo.of(issued.api_key).model_dump())


class ApiKeyList(BaseModel):
    data: list[ApiKeyInfo]

    @classmethod
    def of(cls, api_keys: Sequence[ApiKey]) -> Self:
        return cls(data=[ApiKeyInfo.of(api_key) for api_key in api_keys])
