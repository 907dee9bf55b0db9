"""Accounts, how people get into them, their keys, and what was done to them."""

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
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, JSONB

from nanobanana.storage.tables.columns import created_at, id_column, metadata, moment

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
    id_column(),
    # Of an erased account the row stays, for the rows that hang on it, and the person is gone.
    Column("email", Text),
    Column("email_folded", Text, unique=True),
    Column("password_hash", Text),
    Column("plan", ForeignKey(plans.c.name), nullable=False),
    # Null: it has been on it from the beginning.
    moment("plan_moved_at"),
    # The owner's own, for a month of a plan that is paid by the image.
    Column("spending_cap_micro_usd", BigInteger),
    moment("email_verified_at"),
    moment("suspended_at"),
    # Prompts of live keys that a content policy refused on that day of UTC, since the account was last unsuspended.
    Column("refusals", Integer, nullable=False, server_default=text("0")),
    Column("refused_on", Date),
    created_at(),
    moment("erased_at"),
    # Who erases pictures and prompts holds a lease; when that runs out, another goes on.
    moment("erasure_lease_until"),
    moment("erasure_finished_at"),
    # When one of its waiting generations was last taken up: who has not been served for longest comes first.
    moment("queue_served_at"),
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
    id_column(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    moment("expires_at", nullable=False),
    # Written at most once an hour.
    Column("last_used_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("user_agent", Text),
    created_at(),
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
    id_column(),
    Column("email", Text, nullable=False),
    Column("email_folded", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    # Both are made, and begin to run, when the mail is sent.
    Column("code_hash", LargeBinary),
    moment("code_expires_at"),
    Column("code_tries", Integer, nullable=False, server_default=text("0")),
    Column("token_hash", LargeBinary, unique=True),
    moment("expires_at", nullable=False),
    created_at(),
)

# What a link in a mail proves. One of each purpose per account: a newer one takes the older one's place.
one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    id_column(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False),
    Column("purpose", Text, nullable=False),
    # The address to be confirmed.
    Column("email", Text),
    # Made when the mail is sent.
    Column("token_hash", LargeBinary, unique=True),
    moment("expires_at", nullable=False),
    created_at(),
    CheckConstraint("purpose in ('reset_password', 'confirm_email')", name="purpose"),
    CheckConstraint("(purpose = 'confirm_email') = (email is not null)", name="email"),
    UniqueConstraint("account_id", "purpose"),
)

# Mails of a development machine without a mail server, for the page /dev/mail.
development_mails = Table(
    "development_mails",
    metadata,
    id_column(),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    created_at(),
)

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("mode", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("last4", Text, nullable=False),
    # The text before the last rotation, which works until its end: never more than two texts are alive.
    Column("previous_hash", LargeBinary, index=True),
    Column("previous_last4", Text),
    moment("previous_expires_at"),
    moment("expires_at"),
    Column("monthly_image_cap", BigInteger),
    Column("images_per_hour", Integer),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{generate,read,usage}'")),
    # Null: from everywhere.
    Column("allowed_addresses", ARRAY(CIDR)),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    moment("last_used_at"),
    moment("surge_reported_at"),
    moment("revoked_at"),
    created_at(),
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
    created_at(),
    CheckConstraint("actor in ('service', 'operator')", name="actor"),
    CheckConstraint("action in ('suspend', 'unsuspend', 'plan', 'credit')", name="action"),
    Index("audit_log_account_id_id_idx", "account_id", "id"),
)
