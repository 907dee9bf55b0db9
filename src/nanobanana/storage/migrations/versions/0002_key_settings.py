"""What an owner sets on a key, its text before the last rotation, and when it was last used."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("previous_hash", sa.LargeBinary(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_last4", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("monthly_image_cap", sa.BigInteger(), nullable=True))
    op.add_column(
        "api_keys",
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{generate,read,usage}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "api_keys", sa.Column("allowed_addresses", postgresql.ARRAY(postgresql.CIDR()), nullable=True)
    )
    op.add_column(
        "api_keys", sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("api_keys_previous_hash_idx"), "api_keys", ["previous_hash"], unique=False)
    for name, rule in (
        ("monthly_image_cap", "monthly_image_cap > 0"),
        ("scopes", "scopes <> '{}' and scopes <@ '{generate,read,usage}'"),
        ("allowed_addresses", "allowed_addresses <> '{}'"),
        ("previous", "(previous_hash is null) = (previous_expires_at is null)"),
    ):
        op.create_check_constraint(op.f(f"api_keys_{name}_check"), "api_keys", rule)
