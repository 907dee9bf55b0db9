"""All tables. Migrations bring a database to this state; a test holds the two against each other."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def _id(**options: object) -> Column[str]:
    # Byte order, so that ids sort by the moment they were made whatever the database's language is.
    return Column("id", Text(collation="C"), primary_key=True, **options)  # type: ignore[arg-type]


def _moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _count(name: str) -> Column[int]:
    """Of images, or of micro-dollars."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


# As PLANS_FILE has them since the last start. Null: unlimited; pictures of a plan without retention stay for good.
plans = Table(
    "plans",
    metadata,
    Column("name", Text, primary_key=True),
    Column("price_micro_usd_per_month", BigInteger, nullable=False),
    Column("price_micro_usd_per_image", BigInteger, nullable=False),
    Column("images_per_month", BigInteger),
    Column("images_per_hour", Integer),
    Column("images_in_flight", Integer),
    Column("retention_days", Integer),
    # Draws on the free images of the day.
    Column("is_free", Boolean, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    # Of an erased account the row stays, for the rows that hang on it, and the person is gone.
    Column("email", Text),
    Column("email_folded", Text, unique=True),
    Column("password_hash", Text),
    Column("plan", ForeignKey(plans.c.name), nullable=False),
    # The owner's own, for a month of a plan that is paid by the image.
    Column("spending_cap_micro_usd", BigInteger),
    _moment("email_verified_at"),
    _moment("suspended_at"),
    # Prompts of live keys that a content policy refused on that day of UTC, since the account was last unsuspended.
    Column("refusals", Integer, nullable=False, server_default=text("0")),
    Column("refused_on", Date),
    _created_at(),
    _moment("erased_at"),
    # Who erases pictures and prompts holds a lease; when that runs out, another goes on.
    _moment("erasure_lease_until"),
    _moment("erasure_finished_at"),
    # When one of its waiting generations was last taken up: who has not been served for longest comes first.
    _moment("queue_served_at"),
    CheckConstraint(
        "num_nulls(email, email_folded, password_hash) = case when erased_at is null then 0 else 3 end",
        name="person",
    ),
    CheckConstraint("erasure_finished_at is null or erased_at is not null", name="erasure"),
    CheckConstraint("spending_cap_micro_usd > 0", name="spending_cap_micro_usd"),
    Index(
        "accounts_erased_at_idx",
        "erased_at",
        postgresql_where=text("erased_at is not null and erasure_finished_at is null"),
    ),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _moment("expires_at", nullable=False),
    # Written at most once an hour.
    Column("last_used_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("user_agent", Text),
    _created_at(),
)

# New free accounts per subnet and day, per mailbox and month. They stay counted when an account goes.
sign_ups = Table(
    "sign_ups",
    metadata,
    Column("period_ends_at", DateTime(timezone=True), primary_key=True),
    # A keyed hash: who signed up from where is kept nowhere.
    Column("subject", LargeBinary, primary_key=True),
    Column("accounts", Integer, nullable=False),
)

# Becomes an account once the code or the link that went to the address has come back.
registrations = Table(
    "registrations",
    metadata,
    _id(),
    Column("email", Text, nullable=False),
    Column("email_folded", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    # Both are made, and begin to run, when the mail is sent.
    Column("code_hash", LargeBinary),
    _moment("code_expires_at"),
    Column("code_tries", Integer, nullable=False, server_default=text("0")),
    Column("token_hash", LargeBinary, unique=True),
    _moment("expires_at", nullable=False),
    _created_at(),
)

# What a link in a mail proves. One of each purpose per account: a newer one takes the older one's place.
one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    _id(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False),
    Column("purpose", Text, nullable=False),
    # The address to be confirmed.
    Column("email", Text),
    # Made when the mail is sent.
    Column("token_hash", LargeBinary, unique=True),
    _moment("expires_at", nullable=False),
    _created_at(),
    CheckConstraint("purpose in ('reset_password', 'confirm_email')", name="purpose"),
    CheckConstraint("(purpose = 'confirm_email') = (email is not null)", name="email"),
    UniqueConstraint("account_id", "purpose"),
)

# Mails of a development machine without a mail server, for the page /dev/mail.
development_mails = Table(
    "development_mails",
    metadata,
    _id(),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    _created_at(),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("mode", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("last4", Text, nullable=False),
    # The text before the last rotation, which works until its end: never more than two texts are alive.
    Column("previous_hash", LargeBinary, index=True),
    Column("previous_last4", Text),
    _moment("previous_expires_at"),
    _moment("expires_at"),
    Column("monthly_image_cap", BigInteger),
    Column("images_per_hour", Integer),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{generate,read,usage}'")),
    # Null: from everywhere.
    Column("allowed_addresses", ARRAY(CIDR)),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    _moment("last_used_at"),
    _moment("surge_reported_at"),
    _moment("revoked_at"),
    _created_at(),
    CheckConstraint("mode in ('live', 'test')", name="mode"),
    CheckConstraint("monthly_image_cap > 0", name="monthly_image_cap"),
    CheckConstraint("images_per_hour > 0", name="images_per_hour"),
    CheckConstraint("scopes <> '{}' and scopes <@ '{generate,read,usage}'", name="scopes"),
    CheckConstraint("allowed_addresses <> '{}'", name="allowed_addresses"),
    CheckConstraint("(previous_hash is null) = (previous_expires_at is null)", name="previous"),
)

# What live keys did in the hours of the last days, to tell what is usual for them.
api_key_hours = Table(
    "api_key_hours",
    metadata,
    Column("api_key_id", ForeignKey(api_keys.c.id), primary_key=True),
    # Its beginning.
    Column("hour", DateTime(timezone=True), primary_key=True, index=True),
    # Admitted, whatever became of them.
    Column("images", Integer, nullable=False),
)

generations = Table(
    "generations",
    metadata,
    _id(),
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
    _moment("lease_until"),
    _moment("not_before"),  # is a queued one tried again
    _moment("finished_at"),
    # The picture's unguessable name without its ending, given before the picture exists; from the second attempt on,
    # with that attempt's number after a hyphen. 128 random bits: no two are the same, and an index that made sure of it
    # would cost every image a page of its own.
    Column("image_name", Text, nullable=False),
    Column("image_state", Text),
    Column("image_format", Text),
    Column("image_bytes", BigInteger),
    Column("model", Text),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    # What was held for the row when it was admitted, and what became of it tells the state.
    _count("price_micro_usd"),
    Column("from_free_pool", Boolean, nullable=False, server_default=text("false")),
    # What Google takes for it, as MODEL_COSTS_FILE has it; null when no model was asked, or nobody knows.
    Column("cost_micro_usd", BigInteger),
    # Attempts that may have cost a picture of Google's that nobody has seen; until it ends, those interrupted so far.
    Column("lost_attempts", Integer, nullable=False, server_default=text("0")),
    Column("error_code", Text),
    Column("error_message", Text),
    _created_at(),
    CheckConstraint("mode in ('live', 'test')", name="mode"),
    CheckConstraint(
        "state in ('queued', 'running', 'succeeded', 'failed', 'blocked', 'cancelled', 'expired')",
        name="state",
    ),
    CheckConstraint("image_state in ('kept', 'expired', 'deleted')", name="image_state"),
    CheckConstraint("(state = 'running') = (lease_until is not null)", name="lease"),
    CheckConstraint("(state = 'succeeded') = (image_state is not null)", name="picture"),
    Index("generations_account_id_id_idx", "account_id", text("id desc")),
    Index("generations_lease_until_idx", "lease_until", postgresql_where=text("state = 'running'")),
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
    _created_at(),
)

# The sums that admission holds against, each equal to the sum of its ledger rows. `held_…` is of generations that have
# not ended. A month and a day are UTC's, and those in which a generation was admitted.
account_months = Table(
    "account_months",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id), primary_key=True),
    Column("month", Date, primary_key=True),
    _count("images"),
    _count("held_images"),
    # Drawn from the balance.
    _count("micro_usd"),
    _count("held_micro_usd"),
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
    _count("images"),
    _count("held_images"),
    CheckConstraint("images >= 0 and held_images >= 0", name="images"),
)

# Of all plans that cost nothing together.
free_days = Table(
    "free_days",
    metadata,
    Column("day", Date, primary_key=True),
    _count("images"),
    _count("held_images"),
    CheckConstraint("images >= 0 and held_images >= 0", name="images"),
)

# What is left of what an account has paid ahead; the held part is not spent yet, and not free to be spent.
balances = Table(
    "balances",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id), primary_key=True),
    _count("micro_usd"),
    _count("held_micro_usd"),
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
    _count("images"),
    _count("held_images"),
    # What the balance gains, so a captured image's is negative.
    _count("micro_usd"),
    _count("held_micro_usd"),
    Column("note", Text),
    _created_at(),
    CheckConstraint("kind in ('credit', 'hold', 'capture', 'release')", name="kind"),
    Index("ledger_account_id_id_idx", "account_id", "id"),
)

# What was done to accounts other than by their owners, never changed and never deleted; it outlives the people it tells
# of, and holds no address.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", Text(collation="C"), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    _created_at(),
    CheckConstraint("actor in ('service', 'operator')", name="actor"),
    CheckConstraint("action in ('suspend', 'unsuspend', 'plan', 'credit')", name="action"),
    Index("audit_log_account_id_id_idx", "account_id", "id"),
)

# What GET /v1/usage reads, whatever the number of generations, and all of it in the key: in the table itself the days of
# an account lie a page apart each.
usage_days = Table(
    "usage_days",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id)),
    Column("day", Date),
    Column("api_key_id", ForeignKey(api_keys.c.id)),
    _count("images"),
    _count("micro_usd"),
    _count("cost_micro_usd"),
    _count("failed"),
    _count("blocked"),
    PrimaryKeyConstraint(
        "account_id",
        "day",
        "api_key_id",
        postgresql_include=["images", "micro_usd", "failed", "blocked"],
    ),
)

# Pictures that no store holds: with IMAGE_STORE=none they wait here for their callers.
image_bytes = Table(
    "image_bytes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    _moment("expires_at", nullable=False),
    Index("image_bytes_expires_at_idx", "expires_at"),
)
