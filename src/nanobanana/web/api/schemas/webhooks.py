from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from nanobanana.domain.webhooks.types import (
    Delivery,
    DeliveryState,
    DisabledReason,
    EventType,
    IssuedWebhook,
    Webhook,
    WebhookChanges,
)
from nanobanana.web.api.schemas.strict import RequestBody


def _once_each(values: list[EventType]) -> list[EventType]:
    return list(dict.fromkeys(values))


def _visible(text: str) -> str:
    if not text.isprintable():
        raise ValueError("This must not hold control characters.")
    return text


Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_048),
    AfterValidator(_visible),
]
Events = Annotated[list[EventType], Field(min_length=1, max_length=10), AfterValidator(_once_each)]

_URL = "Where deliveries are posted: https, on port 443, 80, or 1024 or above, to a public address"
_EVENTS = "What it is told of"


class NewWebhook(RequestBody):
    url: Url = Field(description=_URL, examples=["https://example.com/webhooks"])
    events: Events = Field(description=_EVENTS, examples=[["image.completed", "image.failed"]])


class WebhookUpdate(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"disabled": False}]})

    url: Url = Field(default="", description=_URL)
    events: Events = Field(default=[], description=_EVENTS)
    disabled: bool = Field(
        default=False, description="Of true, nothing is sent; what is pending waits until it is enabled"
    )

    def changes(self) -> WebhookChanges:
        return cast("WebhookChanges", self.model_dump(exclude_unset=True))


class WebhookInfo(BaseModel):
    """An endpoint without its secret."""

    id: str = Field(examples=["whk_0351xffvmzhinA5Ot7fOms"])
    url: str = Field(examples=["https://example.com/webhooks"])
    events: list[EventType] = Field(examples=[["image.completed", "image.failed"]])
    disabled: bool
    disabled_reason: DisabledReason | None = Field(
        description="`owner`: you did it, `gone`: it answered 410, `failing`: nothing was delivered for 5 days"
    )
    failing_since: datetime | None = Field(description="Since the first failure after the last success")
    previous_secret_expires_at: datetime | None = Field(
        description="Until then deliveries are signed with the secret before the last rotation too"
    )
    created_at: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        return cls(
            id=webhook.id,
            url=webhook.url,
            events=webhook.events,
            disabled=webhook.disabled_reason is not None,
            disabled_reason=webhook.disabled_reason,
            failing_since=webhook.failing_since,
            previous_secret_expires_at=webhook.previous_secret_expires_at,
            created_at=webhook.created_at,
        )


class ShownWebhook(WebhookInfo):
    """The one answer that holds the secret. Keep it now: it cannot be shown again, only rotated."""

    secret: str = Field(examples=["whsec_..."])

    @classmethod
    def shown(cls, issued: IssuedWebhook) -> Self:
        return cls(secret=issued.secret, **WebhookInfo.of(issued.webhook).model_dump())


class WebhookList(BaseModel):
    data: list[WebhookInfo]

    @classmethod
    def of(cls, webhooks: Sequence[Webhook]) -> Self:
        return cls(data=[WebhookInfo.of(webhook) for webhook in webhooks])


class DeliveryView(BaseModel):
    """One event for one endpoint."""

    id: str = Field(examples=["whd_0351xffvmzhinA5Ot7fOms"])
    event_id: str = Field(
        description="The header `webhook-id`, the same on every try", examples=["evt_0351xffvmzhinA5Ot7fOms"]
    )
    type: str = Field(examples=["image.completed"])
    status: DeliveryState
    attempts: int = Field(description="Of ten at most")
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status_code: int | None = Field(description="Null when no answer came")
    last_error: str | None = Field(examples=["The endpoint answered 500."])
    created_at: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls(
            id=delivery.id,
            event_id=delivery.event_id,
            type=delivery.type,
            status=delivery.state,
            attempts=delivery.attempts,
            next_attempt_at=delivery.due_at,
            last_attempt_at=delivery.last_attempt_at,
            last_status_code=delivery.last_status,
            last_error=delivery.last_error,
            created_at=delivery.created_at,
        )


class DeliveryPage(BaseModel):
    data: list[DeliveryView]
    has_more: bool
    next_cursor: str | None

    @classmethod
    def of(cls, deliveries: Sequence[Delivery], *, has_more: bool) -> Self:
        return cls(
            data=[DeliveryView.of(delivery) for delivery in deliveries],
            has_more=has_more,
            next_cursor=deliveries[-1].id if has_more else None,
        )
