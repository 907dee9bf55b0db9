"""How long the pictures of an account are kept, by the plan it has come to. The plan and the moment are read anew by each
statement: a later move makes the statements of an earlier one change nothing."""

from datetime import datetime

from nanobanana.domain.retention.types import Loss
from nanobanana.storage.database import AsyncConnection, Database

# In the statement itself: without it the planner expects a tenth of all rows, and prepares to read them.
_BATCH = "1000"
# How soon what goes soon goes, and how many of these the transaction of a move takes on itself.
_SOON, _SOON_AT_MOST = "interval '1 hour'", "10000"

_PLAN_S = "p.retention_days * 86400::bigint"
_FROM_ITS_END = f"g.finished_at + make_interval(secs => {_PLAN_S})"
# From the move on; pictures that are newer than the move, from their own end on. Null for a plan that keeps them for good.
_LATEST = f"greatest(g.finished_at, a.plan_moved_at) + make_interval(secs => {_PLAN_S})"
# least() leaves nulls out: no end is later than any.
_RETENTION_S = f"case when g.retention_is_own then least(g.retention_s, {_PLAN_S}) else {_PLAN_S} end"
_EXPIRES_AT = f"""
    case when g.finished_at is null then null
         when g.retention_is_own then least(g.expires_at, {_LATEST})
         when p.retention_days is null then null
         else least(greatest(coalesce(g.expires_at, 'infinity'), {_FROM_ITS_END}), {_LATEST}) end
"""
# Also while it is being made. The clock's time, not that of the transaction, which may have waited; and what the purge
# has begun with is not 'kept' any more.
_FIT = f"""
    update generations g set retention_s = {_RETENTION_S}, expires_at = {_EXPIRES_AT}
    from accounts a join plans p on p.name = a.plan
    where a.id = %(account_id)s and a.plan_moved_at = %(moved_at)s and a.erased_at is null
          and g.account_id = a.id and g.mode = 'live'
          and (g.finished_at is null
               or g.image_state = 'kept' and g.image_place in ('store', 'waiting')
                  and (g.expires_at is null or g.expires_at > clock_timestamp()))
          and (g.retention_s, g.expires_at) is distinct from ({_RETENTION_S}, {_EXPIRES_AT})
"""


async def fit_what_goes_soon(connection: AsyncConnection, *, account_id: str, moved_at: datetime) -> None:
    await connection.exec_driver_sql(
        f"""
        {_FIT} and g.id in (
            select id from generations
            where image_place is not null and expires_at > now() and expires_at <= now() + {_SOON}
                  and account_id = %(account_id)s
            order by expires_at limit {_SOON_AT_MOST}
        )
        """,
        {"account_id": account_id, "moved_at": moved_at},
    )


async def fit_next(database: Database, *, account_id: str, moved_at: datetime, after: str) -> str | None:
    """The pictures after the id, oldest first. Gives the last one's id; None when there were none."""
    rows = await database.statement(
        f"""
        with batch as materialized (
            select id from generations where account_id = %(account_id)s and id > %(after)s order by id limit {_BATCH}
        ),
        fitted as ({_FIT} and g.id in (select id from batch))
        select max(id) as last from batch
        """,
        {"account_id": account_id, "moved_at": moved_at, "after": after},
    )
    last: str | None = rows[0]["last"]
    return last


async def loss(database: Database, *, account_id: str, moved_at: datetime) -> Loss | None:
    """What the owner is to know when the move has given pictures an end: just those have this one."""
    rows = await database.statement(
        f"""
        select a.email, a.plan, p.retention_days, a.plan_moved_at as moved_at, moved.gone_at
        from accounts a
        join plans p on p.name = a.plan
        cross join lateral (select a.plan_moved_at + make_interval(secs => {_PLAN_S}) as gone_at) moved
        where a.id = %(account_id)s and a.plan_moved_at = %(moved_at)s and a.erased_at is null
              and exists (
                  select from generations g
                  where g.account_id = a.id and g.expires_at = moved.gone_at and g.image_place is not null
                        and g.image_state = 'kept'
              )
        """,
        {"account_id": account_id, "moved_at": moved_at},
    )
    return Loss(**rows[0]) if rows else None
