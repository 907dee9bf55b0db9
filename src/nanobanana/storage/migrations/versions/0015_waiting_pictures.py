"""Pictures wait for a store that is away, and one process at a time brings each there."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "image_bytes",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column("image_bytes", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
