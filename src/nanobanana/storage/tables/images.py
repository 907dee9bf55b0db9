"""Generations, what callers name them by, and pictures that no store holds."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from nanobanana.storage.tables.columns import count, created_at, id_column, metadata, moment
from nanobanana.storage.tables.people import accounts, api_keys

generations = Table(
    "generations",
    metadata,
    id_column(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False),
    Column("api_key_id", ForeignKey(api_keys.c.id), nullable=False),
    Column("mode", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("size", Text, nullable=False),
    Column("style", Text, nullable=False),
    # What the caller asked for; null keeps the format Google answers in.
    Column("format", Text),
    Column("state", Text, nullable=False),
    # Counts who has worked on the row, 0 when nobody has; a settlement of an earlier attempt changes nothing.
    Column("attempt", Integer, nullable=False),
    moment("lease_until"),
    moment("not_before"),  # is a queued one tried again, or are the files of an expired one
    moment("finished_at"),
    # The picture's unguessable name without its ending (domain/images/names.py), given before the picture exists; from the
    # second attempt on, with that attempt's number after a hyphen. No index: it holds the row's time, by which the primary
    # key finds it, and no two of 128 random bits are the same.
    Column("image_name", Text, nullable=False),
    Column("image_state", Text),
    Column("image_format", Text),
    # Null when there is nothing of it, or nothing any more: expired or deleted, and gone.
    Column("image_place", Text),
    # For how long its picture is kept, null for good: the plan's, or less at the caller's wish.
    Column("retention_s", BigInteger),
    Column("retention_is_own", Boolean, nullable=False, server_default=text("false")),
    moment("expires_at"),
    Column("image_bytes", BigInteger),
    Column("model", Text),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    # What was held for the row when it was admitted, and what became of it tells the state.
    count("price_micro_usd"),
    Column("from_free_pool", Boolean, nullable=False, server_default=text("false")),
    # What Google takes for it, as MODEL_COSTS_FILE has it; null when no model was asked, or nobody knows.
    Column("cost_micro_usd", BigInteger),
    # Attempts that may have cost a picture of Google's that nobody has seen; until it ends, those interrupted so far.
    Column("lost_attempts", Integer, nullable=False, server_default=text("0")),
    Column("error_code", Text),
    Column("error_message", Text),
    created_at(),
    CheckConstraint("mode in ('live', 'test')", name="mode"),
    CheckConstraint(
        "state in ('queued', 'running', 'succeeded', 'failed', 'blocked', 'cancelled', 'expired')",
        name="state",
    ),
    CheckConstraint("image_state in ('kept', 'expired', 'deleted')", name="image_state"),
    CheckConstraint(
        "image_place is null or image_place in ('store', 'database', 'waiting') and image_state is not null",
        name="image_place",
    ),
    CheckConstraint("retention_s > 0", name="retention_s"),
    CheckConstraint("(state = 'running') = (lease_until is not null)", name="lease"),
    CheckConstraint("(state = 'succeeded') = (image_state is not null)", name="picture"),
    Index("generations_account_id_id_idx", "account_id", text("id desc")),
    Index("generations_lease_until_idx", "lease_until", postgresql_where=text("state = 'running'")),
    Index("generations_expires_at_idx", "expires_at", postgresql_where=text("image_place is not null")),
    Index("generations_queued_idx", "created_at", postgresql_where=text("state = 'queued'")),
)

# One image for one key of the caller's, for 24 hours from its first use; freed when the generation fails for a reason
# that may pass.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id), primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # Of method, path and body.
    Column("fingerprint", LargeBinary, nullable=False),
    Column("generation_id", Text(collation="C"), nullable=False, index=True),
    created_at(),
)

# Pictures that no store holds: with IMAGE_STORE=none they wait here for their callers, and else until the store takes
# them, without an end.
image_bytes = Table(
    "image_bytes",
    metadata,
    Column("name", Text, primary_key=True),
    # Empty when the picture is deleted, until the store has nothing of it either.
    Column("data", LargeBinary, nullable=False),
    moment("expires_at"),
    created_at(),
    moment("lease_until"),  # somebody brings it to the store
    Index("image_bytes_expires_at_idx", "expires_at"),
)
