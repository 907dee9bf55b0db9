"""Accounts, sessions, API keys, generations, and pictures that no store holds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
        sa.UniqueConstraint("email_folded", name=op.f("accounts_email_folded_key")),
    )
    op.create_table(
        "image_bytes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("image_bytes_pkey")),
    )
    op.create_index("image_bytes_expires_at_idx", "image_bytes", ["expires_at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("mode in ('live', 'test')", name=op.f("api_keys_mode_check")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("api_keys_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("hash", name=op.f("api_keys_hash_key")),
    )
    op.create_index(op.f("api_keys_account_id_idx"), "api_keys", ["account_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("sessions_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("sessions_token_hash_key")),
    )
    op.create_index(op.f("sessions_account_id_idx"), "sessions", ["account_id"], unique=False)
    op.create_table(
        "generations",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("api_key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("image_name", sa.Text(), nullable=False),
        sa.Column("image_state", sa.Text(), nullable=True),
        sa.Column("image_format", sa.Text(), nullable=True),
        sa.Column("image_bytes", sa.BigInteger(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'running') = (lease_until is not null)", name=op.f("generations_lease_check")
        ),
        sa.CheckConstraint(
            "(state = 'succeeded') = (image_state is not null)", name=op.f("generations_picture_check")
        ),
        sa.CheckConstraint(
            "image_state in ('kept', 'expired', 'deleted')", name=op.f("generations_image_state_check")
        ),
        sa.CheckConstraint("mode in ('live', 'test')", name=op.f("generations_mode_check")),
        sa.CheckConstraint(
            "state in ('queued', 'running', 'succeeded', 'failed', 'blocked', 'cancelled', 'expired')",
            name=op.f("generations_state_check"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("generations_account_id_fkey")),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name=op.f("generations_api_key_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("generations_pkey")),
        sa.UniqueConstraint("image_name", name=op.f("generations_image_name_key")),
    )
    op.create_index(
        "generations_account_id_id_idx",
        "generations",
        ["account_id", sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "generations_lease_until_idx",
        "generations",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
