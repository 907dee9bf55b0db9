"""What each key did in each hour, and when its owner was told that it was far more than usual."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("surge_reported_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "api_key_hours",
        sa.Column("api_key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name=op.f("api_key_hours_api_key_id_fkey")),
        sa.PrimaryKeyConstraint("api_key_id", "hour", name=op.f("api_key_hours_pkey")),
    )
    op.create_index(op.f("api_key_hours_hour_idx"), "api_key_hours", ["hour"], unique=False)
