from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict

Mode = Literal["live", "test"]
Scope = Literal["generate", "read", "usage"]


class KeySettings(TypedDict, total=False):
    """What an owner decides about a key. What is left out takes its default or stays as it is."""

    name: str
    expires_at: datetime | None
    monthly_image_cap: int | None
    images_per_hour: int | None
    scopes: list[Scope]
    # As networks, without host bits; None allows all.
    allowed_addresses: list[str] | None
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key. Its text exists only in the answer that created it."""

    id: str
    account_id: str
    mode: Mode
    name: str
    last4: str
    previous_last4: str | None
    previous_expires_at: datetime | None
    expires_at: datetime | None
    monthly_image_cap: int | None
    images_per_hour: int | None
    scopes: list[Scope]
    allowed_addresses: list[str] | None
    disabled: bool
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key with its text, the one time it is shown."""

    api_key: ApiKey
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """An account's images of the present month, those being made included; no limit is None."""

    images: int
    limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who a request with a valid key comes from, and how fast they may go; None is unlimited."""

    api_key_id: str
    account_id: str
    mode: Mode
    key_hash: bytes
    key_images_per_hour: int | None
    plan_images_per_hour: int | None
    plan_images_in_flight: int | None
    month_images: int
    month_limit: int | None
    # For how long its plan keeps pictures.
    plan_retention_s: int | None = None
    # Prompts of this day that a content policy refused, of all live keys of the account.
    refusals: int = 0

    @property
    def month(self) -> Month:
        return Month(images=self.month_images, limit=self.month_limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a living key may do at this moment, and how the month of its account stands."""

    suspended: bool
    has_scope: bool
    from_allowed_address: bool
    month: Month
