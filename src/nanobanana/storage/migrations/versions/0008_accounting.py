"""Plans, holds and sums of images and money, the ledger, idempotency keys, usage by day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _plans()
    op.add_column("accounts", sa.Column("spending_cap_micro_usd", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("accounts_spending_cap_micro_usd_check"), "accounts", "spending_cap_micro_usd > 0"
    )
    op.add_column("api_keys", sa.Column("images_per_hour", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("api_keys_images_per_hour_check"), "api_keys", "images_per_hour > 0")
    op.add_column("generations", _count("price_micro_usd"))
    op.add_column(
        "generations",
        sa.Column("from_free_pool", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("generations", sa.Column("cost_micro_usd", sa.BigInteger(), nullable=True))
    op.add_column(
        "generations",
        sa.Column("lost_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    _idempotency_keys()
    _sums()
    _ledger()
    _book_what_is_there()


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_micro_usd_per_month", sa.BigInteger(), nullable=False),
        sa.Column("price_micro_usd_per_image", sa.BigInteger(), nullable=False),
        sa.Column("images_per_month", sa.BigInteger(), nullable=True),
        sa.Column("images_per_hour", sa.Integer(), nullable=True),
        sa.Column("images_in_flight", sa.Integer(), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("plans_pkey")),
    )
    # Accounts that are there have a plan; what it gives is filled in at the next start.
    op.execute("insert into plans select distinct plan, 0, 0, 0, 0, 0, 0, false from accounts")
    op.create_foreign_key(op.f("accounts_plan_fkey"), "accounts", "plans", ["plan"], ["name"])


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("generation_id", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("idempotency_keys_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("account_id", "mode", "key", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index(op.f("idempotency_keys_generation_id_idx"), "idempotency_keys", ["generation_id"])


def _sums() -> None:
    images = "images >= 0 and held_images >= 0"
    op.create_table(
        "account_months",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        *(_count(name) for name in ("images", "held_images", "micro_usd", "held_micro_usd")),
        sa.Column("warned_percent", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(images, name=op.f("account_months_images_check")),
        sa.CheckConstraint(
            "micro_usd >= 0 and held_micro_usd >= 0", name=op.f("account_months_micro_usd_check")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("account_months_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("account_months_pkey")),
    )
    op.create_table(
        "key_months",
        sa.Column("api_key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        *(_count(name) for name in ("images", "held_images")),
        sa.CheckConstraint(images, name=op.f("key_months_images_check")),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name=op.f("key_months_api_key_id_fkey")),
        sa.PrimaryKeyConstraint("api_key_id", "month", name=op.f("key_months_pkey")),
    )
    op.create_table(
        "free_days",
        sa.Column("day", sa.Date(), nullable=False),
        *(_count(name) for name in ("images", "held_images")),
        sa.CheckConstraint(images, name=op.f("free_days_images_check")),
        sa.PrimaryKeyConstraint("day", name=op.f("free_days_pkey")),
    )
    op.create_table(
        "balances",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        *(_count(name) for name in ("micro_usd", "held_micro_usd")),
        sa.CheckConstraint(
            "held_micro_usd between 0 and micro_usd", name=op.f("balances_held_micro_usd_check")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("balances_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("balances_pkey")),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("api_key_id", sa.Text(collation="C"), nullable=True),
        sa.Column("generation_id", sa.Text(collation="C"), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_free_pool", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *(_count(name) for name in ("images", "held_images", "micro_usd", "held_micro_usd")),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('credit', 'hold', 'capture', 'release')", name=op.f("ledger_kind_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_pkey")),
    )
    op.create_index("ledger_account_id_id_idx", "ledger", ["account_id", "id"])
    op.create_table(
        "usage_days",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("api_key_id", sa.Text(collation="C"), nullable=False),
        *(_count(name) for name in ("images", "micro_usd", "cost_micro_usd", "failed", "blocked")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("usage_days_account_id_fkey")),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name=op.f("usage_days_api_key_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "day", "api_key_id", name=op.f("usage_days_pkey")),
    )


def _book_what_is_there() -> None:
    """Images made so far count for their months; those being made now are held, and will be settled."""
    op.execute("""
        insert into ledger (account_id, api_key_id, generation_id, kind, day, images, held_images)
        select account_id, api_key_id, id, case state when 'succeeded' then 'capture' else 'hold' end,
               (created_at at time zone 'utc')::date, (state = 'succeeded')::int, (state <> 'succeeded')::int
        from generations where mode = 'live' and state in ('succeeded', 'running', 'queued') order by id
    """)
    op.execute("""
        insert into account_months (account_id, month, images, held_images)
        select account_id, date_trunc('month', day)::date, sum(images), sum(held_images) from ledger group by 1, 2
    """)
    op.execute("""
        insert into key_months (api_key_id, month, images, held_images)
        select api_key_id, date_trunc('month', day)::date, sum(images), sum(held_images) from ledger group by 1, 2
    """)
    op.execute("""
        insert into usage_days (account_id, day, api_key_id, images, failed, blocked)
        select account_id, (created_at at time zone 'utc')::date, api_key_id, count(*) filter (where state = 'succeeded'),
               count(*) filter (where state = 'failed'), count(*) filter (where state = 'blocked')
        from generations where mode = 'live' and finished_at is not null group by 1, 2, 3
    """)
