"""Refused prompts by account, and a log of what was done to accounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("accounts", sa.Column("refused_on", sa.Date(), nullable=True))
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("actor in ('service', 'operator')", name=op.f("audit_log_actor_check")),
        sa.CheckConstraint(
            "action in ('suspend', 'unsuspend', 'plan', 'credit')", name=op.f("audit_log_action_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_log_pkey")),
    )
    op.create_index("audit_log_account_id_id_idx", "audit_log", ["account_id", "id"])
    # It takes one argument more from now on; the one of old would stay beside it.
    op.execute("""
        drop function if exists settle_generation(
            text, integer, text, text, bigint, text, integer, integer, bigint, integer, text, text, boolean)
    """)
