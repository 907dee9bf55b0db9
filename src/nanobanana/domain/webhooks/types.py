from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict

EventType = Literal["image.completed", "image.failed", "quota.warning", "quota.exhausted", "key.rotated"]
DisabledReason = Literal["owner", "gone", "failing"]
DeliveryState = Literal["pending", "succeeded", "failed"]


class WebhookChanges(TypedDict, total=False):
    """What is left out stays as it is."""

    url: str
    events: list[EventType]
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint. Its secret exists in the clear only in the answer that made it."""

    id: str
    url: str
    events: list[EventType]
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    previous_secret_expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedWebhook:
    """With the text of its new secret, the one time it is shown."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one endpoint, and how far it has come."""

    id: str
    event_id: str
    type: str
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery with all that sending it takes. `secrets` are encrypted; `body` is None before the first attempt."""

    id: str
    webhook_id: str
    account_id: str
    url: str
    secrets: list[bytes]
    event_id: str
    type: str
    subject: Mapping[str, Any]
    body: str | None
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of an attempt, and when the next one comes: None after the last."""

    state: DeliveryState
    next_in_s: float | None
    status: int | None
    problem: str | None
    # What the endpoint asks for, for all that is sent there.
    rest_s: int
    gone: bool
