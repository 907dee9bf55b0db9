"""Those of an endpoint that failed are found without reading what succeeded."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "webhook_deliveries_failed_idx",
        "webhook_deliveries",
        ["webhook_id", sa.text("id desc")],
        postgresql_where=sa.text("state = 'failed'"),
    )
