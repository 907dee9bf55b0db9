"""Where pictures are and how long they stay; their names are paths below a day."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("image_place", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("retention_s", sa.BigInteger(), nullable=True))
    op.add_column(
        "generations",
        sa.Column("retention_is_own", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("generations", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    # What a local store has of old lies in folders of two characters. It stays there, and is named so from now on.
    op.execute("""
        update generations g
        set image_name = left(g.image_name, 2) || '/' || g.image_name,
            image_place = case when g.image_state <> 'kept' then null
                               when exists (select from image_bytes b where starts_with(b.name, g.image_name))
                               then 'database' else 'store' end,
            retention_s = p.retention_days * 86400::bigint,
            expires_at = g.finished_at + make_interval(days => p.retention_days)
        from accounts a join plans p on p.name = a.plan
        where a.id = g.account_id
    """)
    op.execute("update image_bytes set name = left(name, 2) || '/' || name")
    op.alter_column("image_bytes", "expires_at", nullable=True)
    op.create_check_constraint(
        op.f("generations_image_place_check"),
        "generations",
        "image_place is null or image_place in ('store', 'database', 'waiting') and image_state is not null",
    )
    op.create_check_constraint(op.f("generations_retention_s_check"), "generations", "retention_s > 0")
    op.create_index(
        "generations_expires_at_idx",
        "generations",
        ["expires_at"],
        postgresql_where=sa.text("image_place is not null"),
    )
    # They take or give more from now on; those of old would stay beside them.
    op.execute("drop function if exists image_room(text, bigint)")
    op.execute("""
        drop function if exists admit_generation(
            text, text, text, bytea, inet, text, text, text, text, text, bytea, bigint, bigint)
    """)
    op.execute("""
        drop function if exists settle_generation(
            text, integer, text, text, bigint, text, integer, integer, bigint, integer, text, text, boolean, integer)
    """)
