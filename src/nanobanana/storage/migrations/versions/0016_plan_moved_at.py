"""When an account came to its plan: from that day on its pictures stay as long as that plan keeps them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("plan_moved_at", sa.DateTime(timezone=True), nullable=True))
