"""The tables of webhooks: endpoints, and what is to be sent to them."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from nanobanana.storage.tables.columns import metadata
from nanobanana.storage.tables.people import accounts

_EVENTS = "'{image.completed,image.failed,quota.warning,quota.exhausted,key.rotated}'"

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),
    # Encrypted with SECRET_KEY: deliveries are signed with it. The one before the last rotation signs too until its end.
    Column("secret", LargeBinary, nullable=False),
    Column("previous_secret", LargeBinary),
    Column("previous_secret_expires_at", DateTime(timezone=True)),
    # Null: enabled.
    Column("disabled_reason", Text),
    # Since the first failure after the last success.
    Column("failing_since", DateTime(timezone=True)),
    # A process is sending to it, or it is left in peace, until then.
    Column("held_until", DateTime(timezone=True)),
    # Its rows go by and by.
    Column("deleted_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(f"events <> '{{}}' and events <@ {_EVENTS}", name="events"),
    CheckConstraint("disabled_reason in ('owner', 'gone', 'failing')", name="disabled_reason"),
    CheckConstraint(
        "(previous_secret is null) = (previous_secret_expires_at is null)", name="previous_secret"
    ),
    Index("webhooks_account_id_idx", "account_id", postgresql_where=text("deleted_at is null")),
    Index("webhooks_deleted_at_idx", "deleted_at", postgresql_where=text("deleted_at is not null")),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("webhook_id", ForeignKey(webhooks.c.id), nullable=False),
    # The header webhook-id: the same at all endpoints that hear of one event.
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    # What the body is made of when it is first sent; from then on it stays as it is, until the last try or until its
    # image is deleted.
    Column("subject", JSONB, nullable=False),
    Column("body", Text),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", DateTime(timezone=True), server_default=func.now()),
    Column("last_attempt_at", DateTime(timezone=True)),
    Column("last_status", SmallInteger),
    Column("last_error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("state in ('pending', 'succeeded', 'failed')", name="state"),
    CheckConstraint("(state = 'pending') = (due_at is not null)", name="due_at"),
    Index("webhook_deliveries_webhook_id_id_idx", "webhook_id", text("id desc")),
    Index(
        "webhook_deliveries_webhook_id_due_at_idx",
        "webhook_id",
        "due_at",
        postgresql_where=text("due_at is not null"),
    ),
    # An owner who looks for these would wait while all the others are read; it costs a delivery that succeeds nothing.
    Index(
        "webhook_deliveries_failed_idx",
        "webhook_id",
        text("id desc"),
        postgresql_where=text("state = 'failed'"),
    ),
)
