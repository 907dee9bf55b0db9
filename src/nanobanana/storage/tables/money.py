"""What counts for limits and money, and for reports of it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from nanobanana.storage.tables.columns import count, created_at, metadata
from nanobanana.storage.tables.people import accounts, api_keys

# The sums that admission holds against, each equal to the sum of its ledger rows. `held_…` is of generations that have
# not ended. A month and a day are UTC's, and those in which a generation was admitted.
account_months = Table(
    "account_months",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id), primary_key=True),
    Column("month", Date, primary_key=True),
    count("images"),
    count("held_images"),
    # Drawn from the balance.
    count("micro_usd"),
    count("held_micro_usd"),
    # Of the month's images: the last percentage that the owner was told about.
    Column("warned_percent", SmallInteger, nullable=False, server_default=text("0")),
    CheckConstraint("images >= 0 and held_images >= 0", name="images"),
    CheckConstraint("micro_usd >= 0 and held_micro_usd >= 0", name="micro_usd"),
)

key_months = Table(
    "key_months",
    metadata,
    Column("api_key_id", ForeignKey(api_keys.c.id), primary_key=True),
    Column("month", Date, primary_key=True),
    count("images"),
    count("held_images"),
    CheckConstraint("images >= 0 and held_images >= 0", name="images"),
)

# Of all plans that cost nothing together.
free_days = Table(
    "free_days",
    metadata,
    Column("day", Date, primary_key=True),
    count("images"),
    count("held_images"),
    CheckConstraint("images >= 0 and held_images >= 0", name="images"),
)

# What is left of what an account has paid ahead; the held part is not spent yet, and not free to be spent.
balances = Table(
    "balances",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id), primary_key=True),
    count("micro_usd"),
    count("held_micro_usd"),
    CheckConstraint("held_micro_usd between 0 and micro_usd", name="held_micro_usd"),
)

# Every movement of images and money, never changed and never deleted; it outlives the people it tells of.
ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Text(collation="C"), nullable=False),
    Column("api_key_id", Text(collation="C")),
    Column("generation_id", Text(collation="C")),
    Column("kind", Text, nullable=False),
    # Whose month and day the movement belongs to.
    Column("day", Date, nullable=False),
    Column("from_free_pool", Boolean, nullable=False, server_default=text("false")),
    count("images"),
    count("held_images"),
    # What the balance gains, so a captured image's is negative.
    count("micro_usd"),
    count("held_micro_usd"),
    Column("note", Text),
    created_at(),
    CheckConstraint("kind in ('credit', 'hold', 'capture', 'release')", name="kind"),
    Index("ledger_account_id_id_idx", "account_id", "id"),
)

# What GET /v1/usage reads, whatever the number of generations, and all of it in the key: in the table itself the days of
# an account lie a page apart each.
usage_days = Table(
    "usage_days",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id)),
    Column("day", Date),
    Column("api_key_id", ForeignKey(api_keys.c.id)),
    count("images"),
    count("micro_usd"),
    count("cost_micro_usd"),
    count("failed"),
    count("blocked"),
    PrimaryKeyConstraint(
        "account_id",
        "day",
        "api_key_id",
        postgresql_include=["images", "micro_usd", "failed", "blocked"],
    ),
)
