"""What Google fails at again and again is tried less and less often."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
