"""Accounts whose person is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("email", "email_folded", "password_hash"):
        op.alter_column("accounts", name, nullable=True)
    for name in ("erased_at", "erasure_lease_until", "erasure_finished_at"):
        op.add_column("accounts", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name, rule in (
        (
            "person",
            "num_nulls(email, email_folded, password_hash) = case when erased_at is null then 0 else 3 end",
        ),
        ("erasure", "erasure_finished_at is null or erased_at is not null"),
    ):
        op.create_check_constraint(op.f(f"accounts_{name}_check"), "accounts", rule)
    op.create_index(
        "accounts_erased_at_idx",
        "accounts",
        ["erased_at"],
        unique=False,
        postgresql_where=sa.text("erased_at is not null and erasure_finished_at is null"),
    )
