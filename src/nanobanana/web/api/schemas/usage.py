from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from nanobanana.domain.usage.types import KeyMonth, Standing, Usage
from nanobanana.web.api.schemas.money import usd

_KEY_ID = "key_0351xffvmzhinA5Ot7fOms"
_EXAMPLE: dict[str, JsonValue] = {
    "from": "2027-01-01",
    "to": "2027-01-31",
    "plan": "payg",
    "quota": {
        "images": 120,
        "in_progress": 1,
        "limit": 5000,
        "left": 4879,
        "resets_at": "2027-02-01T00:00:00Z",
    },
    "money": {
        "balance_usd": 22.6,
        "held_usd": 0.02,
        "spent_this_month_usd": 2.4,
        "spending_cap_usd": 10,
        "left_usd": 7.58,
    },
    "keys": [{"api_key_id": _KEY_ID, "name": "my side project", "images": 121, "cap": 200, "left": 79}],
    "totals": {"images": 120, "amount_usd": 2.4, "failed": 2, "blocked": 1},
    "data": [
        {
            "day": "2027-01-31",
            "api_key_id": _KEY_ID,
            "images": 120,
            "amount_usd": 2.4,
            "failed": 2,
            "blocked": 1,
        }
    ],
}


class DayOfKey(BaseModel):
    day: date = Field(description="In UTC; an image counts on the day it was asked for")
    api_key_id: str
    images: int
    amount_usd: float = Field(description="Drawn from the balance")
    failed: int = Field(description="Not charged")
    blocked: int = Field(description="Refused by a content policy; not charged")


class Totals(BaseModel):
    images: int
    amount_usd: float
    failed: int
    blocked: int


class Quota(BaseModel):
    """The plan's images of the present month."""

    images: int = Field(description="Made and charged")
    in_progress: int = Field(description="Held for images being made")
    limit: int | None = Field(description="null: the plan has no limit")
    left: int | None
    resets_at: datetime


class Money(BaseModel):
    """For plans that are paid by the image."""

    balance_usd: float
    held_usd: float = Field(description="Of the balance, for images being made")
    spent_this_month_usd: float
    spending_cap_usd: float | None = Field(description="The owner's own, for a month")
    left_usd: float = Field(description="What balance and cap allow this month")


class KeyCap(BaseModel):
    api_key_id: str
    name: str
    images: int = Field(description="Of the present month, those being made included")
    cap: int | None = Field(description="Its `monthly_image_cap`")
    left: int | None

    @classmethod
    def of(cls, key: KeyMonth) -> Self:
        return cls(
            api_key_id=key.api_key_id,
            name=key.name,
            images=key.images,
            cap=key.cap,
            left=key.left,
        )


class UsageSummary(BaseModel):
    first_day: date = Field(alias="from", serialization_alias="from")
    last_day: date = Field(alias="to", serialization_alias="to")
    plan: str
    quota: Quota
    money: Money | None
    keys: list[KeyCap]
    totals: Totals = Field(description="Of the days asked for")

    @classmethod
    def of(cls, usage: Usage, *, first: date, last: date) -> Self:
        standing = usage.standing
        return cls(
            **{"from": first, "to": last},
            plan=standing.plan,
            quota=_quota(standing),
            money=_money(standing) if standing.is_paid_by_image else None,
            keys=[KeyCap.of(key) for key in usage.keys],
            totals=Totals(
                images=sum(day["images"] for day in usage.days),
                amount_usd=round(sum(day["amount_usd"] for day in usage.days), 6),
                failed=sum(day["failed"] for day in usage.days),
                blocked=sum(day["blocked"] for day in usage.days),
            ),
        )


class UsageReport(UsageSummary):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    data: list[DayOfKey] = Field(
        description="By day and key, newest day first; days without use are left out"
    )


def _quota(standing: Standing) -> Quota:
    return Quota(
        images=standing.images,
        in_progress=standing.in_progress,
        limit=standing.quota,
        left=standing.images_left,
        resets_at=standing.resets_at,
    )


def _money(standing: Standing) -> Money:
    cap = standing.spending_cap_micro_usd
    return Money(
        balance_usd=usd(standing.balance_micro_usd),
        held_usd=usd(standing.held_micro_usd),
        spent_this_month_usd=usd(standing.spent_micro_usd),
        spending_cap_usd=None if cap is None else usd(cap),
        left_usd=usd(standing.micro_usd_left),
    )
