"""All tables. Migrations bring a database to this state; a test holds the two against each other."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CIDR

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


accounts = Table(
    "accounts",
    metadata,
    _id(),
    # Of an erased account the row stays, for the rows that hang on it, and the person is gone.
    Column("email", Text),
    Column("email_folded", Text, unique=True),
    Column("password_hash", Text),
    Column("plan", Text, nullable=False),
    _moment("email_verified_at"),
    _moment("suspended_at"),
    _created_at(),
    _moment("erased_at"),
    # Who erases pictures and prompts holds a lease; when that runs out, another goes on.
    _moment("erasure_lease_until"),
    _moment("erasure_finished_at"),
    CheckConstraint(
        "num_nulls(email, email_folded, password_hash) = case when erased_at is null then 0 else 3 end",
        name="person",
    ),
    CheckConstraint("erasure_finished_at is null or erased_at is not null", name="erasure"),
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
    # Counts who has worked on the row; a settlement of an earlier attempt changes nothing.
    Column("attempt", Integer, nullable=False),
    _moment("lease_until"),
    _moment("finished_at"),
    # The picture's unguessable name without its ending, given before the picture exists.
    Column("image_name", Text, nullable=False, unique=True),
    Column("image_state", Text),
    Column("image_format", Text),
    Column("image_bytes", BigInteger),
    Column("model", Text),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
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
