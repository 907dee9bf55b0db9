"""Generations that wait for a route to a model."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("queue_served_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "generations_queued_idx",
        "generations",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    # It takes one argument more from now on; the one of old would stay beside it.
    op.execute("""
        drop function if exists admit_generation(
            text, text, text, bytea, inet, text, text, text, text, text, bytea, bigint)
    """)
