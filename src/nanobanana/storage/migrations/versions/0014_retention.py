"""Where pictures are and how long they stay; their names are paths below a day."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# As domain/images/names.py makes them, with the random part they had.
_DAY_NAME = """
    create function pg_temp.day_name(id text, name text) returns text language plpgsql as $$
    declare
        alphabet constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
        number numeric := 0;
        ms bigint;
        digits text := '';
    begin
        for place in 5..26 loop
            number := number * 62 + strpos(alphabet, substr(id, place, 1)) - 1;
        end loop;
        ms := div(number, 2::numeric ^ 80);
        number := ms;
        for _ in 1..8 loop
            digits := substr(alphabet, (number % 62)::integer + 1, 1) || digits;
            number := div(number, 62);
        end loop;
        return to_char(to_timestamp(ms / 1000.0) at time zone 'utc', 'YYYY/MM/DD/') || digits || name;
    end
    $$
"""


def upgrade() -> None:
    op.add_column("generations", sa.Column("image_place", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("retention_s", sa.BigInteger(), nullable=True))
    op.add_column(
        "generations",
        sa.Column("retention_is_own", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("generations", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_DAY_NAME)
    op.execute("""
        update image_bytes b set name = pg_temp.day_name(g.id, b.name)
        from generations g where split_part(b.name, '.', 1) = g.image_name
    """)
    # Where a local store has the files, `cli/old_pictures.py` moves them after this. Time begins with the upgrade: nobody
    # was told before that pictures go.
    op.execute("""
        update generations g
        set image_name = pg_temp.day_name(g.id, g.image_name),
            image_place = case g.image_state when 'kept' then 'store' end,
            retention_s = p.retention_days * 86400::bigint,
            expires_at = case g.image_state when 'kept'
                         then greatest(g.finished_at, now()) + make_interval(days => p.retention_days) end
        from accounts a join plans p on p.name = a.plan
        where a.id = g.account_id
    """)
    op.execute("""
        update generations g set image_place = 'database', expires_at = b.expires_at
        from image_bytes b
        where g.image_name = split_part(b.name, '.', 1) and g.image_state = 'kept'
    """)
    # Where all of the last day are in there, there is no store, and the older ones are gone. That is a guess, so a place
    # stays and no end is set: purge and sweep would delete what it is wrong about.
    op.execute("""
        update generations set image_state = 'expired', image_place = 'database', expires_at = null
        where image_place = 'store' and finished_at < now() - interval '1 day'
              and exists (select from image_bytes)
              and not exists (select from generations
                              where image_place = 'store' and finished_at >= now() - interval '1 day')
    """)
    # They would outlive the pictures and prompts that they are of; who replays one has it made anew.
    op.execute("update webhook_deliveries set body = null where state <> 'pending' and body is not null")
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
