"""The rows of `generations` that are queued: they wait for a route to a model."""

from nanobanana.domain.generation.repository import COLUMNS, NEXT_ATTEMPT, WORK, as_work
from nanobanana.domain.generation.types import Generation, Work
from nanobanana.storage.database import Database

# In turns: the first of every account, then the second of every account. Of those with the same turn comes first whose
# account has not been served for longest. So an account with one is not behind another's thousand, however few are
# claimed at a time. What a suspended account has waiting goes on waiting until it is unsuspended, or too old.
_WAITING = """
    select g.id, g.not_before, a.queue_served_at, row_number() over (partition by g.account_id order by g.id) as turn
    from generations g join accounts a on a.id = g.account_id
    where g.state = 'queued' and a.erased_at is null and a.suspended_at is null
"""
_IN_TURN = "turn, queue_served_at nulls first, id"

# The timetable's second with what chance adds to it, and a little.
_CLAIMED_WITHIN = "interval '1.5 seconds'"


async def put_back(database: Database, generation: Generation) -> Generation | None:
    """The row, waiting again, with all that is held for it; None when this attempt no longer holds it. The oftener it
    was tried, the longer it is left alone, up to a minute: what fails each time must not keep others from a route."""
    rows = await database.statement(
        f"""
        update generations
        set state = 'queued', lease_until = null,
            not_before = now() + make_interval(secs => least(60, 0.5 * power(2, least(attempt, 10))))
        where id = %(id)s and attempt = %(attempt)s and state = 'running'
        returning {COLUMNS}
        """,
        {"id": generation.id, "attempt": generation.attempt},
    )
    return Generation(**rows[0]) if rows else None


async def claim(database: Database, *, limit: int, max_age_s: int) -> list[Work]:
    """The next rows, now held by the caller as their next attempt. Two who claim at once get different ones."""
    rows = await database.statement(
        f"""
        with next as materialized (
            -- Some more than are wanted: others may be claiming the first of them at this moment.
            select * from ({_WAITING}) waiting where not_before is null or not_before <= now()
            order by {_IN_TURN} limit 4 * %(limit)s
        ),
        due as (
            select g.id, g.account_id from next join generations g using (id)
            where g.state = 'queued' and g.created_at > now() - make_interval(secs => %(max_age_s)s)
            order by {_IN_TURN} limit %(limit)s for update of g skip locked
        ),
        served as (
            update accounts set queue_served_at = now() where id in (
                -- Whom another claim serves at this moment is served: nobody waits here, least of all in a circle.
                select id from accounts where id in (select account_id from due) for no key update skip locked
            )
        )
        update generations set state = 'running', {NEXT_ATTEMPT}
        where id in (select id from due)
        returning {WORK}
        """,
        {"limit": limit, "max_age_s": max_age_s},
    )
    return [as_work(row) for row in rows]


async def some_wait(database: Database, *, max_age_s: int) -> bool:
    """Whether anything is due that nobody has claimed in the time in which each process claims once. What is younger is
    on its way: were it waited for, orders of a steady load would go on waiting for each other when all is well again."""
    rows = await database.statement(
        f"""
        select exists (
            select from generations g join accounts a on a.id = g.account_id
            where g.state = 'queued' and a.erased_at is null and a.suspended_at is null
                  and greatest(g.created_at, g.not_before) <= now() - {_CLAIMED_WITHIN}
                  and g.created_at > now() - make_interval(secs => %(max_age_s)s)
        ) as some_wait
        """,
        {"max_age_s": max_age_s},
    )
    some_wait: bool = rows[0]["some_wait"]
    return some_wait


async def too_old(database: Database, *, max_age_s: int, limit: int) -> list[Work]:
    """Rows that have waited too long, the oldest first. Nobody holds them: who settles one first has it."""
    rows = await database.statement(
        f"""
        select {WORK} from generations
        where state = 'queued' and created_at <= now() - make_interval(secs => %(max_age_s)s)
        order by created_at limit %(limit)s
        """,
        {"max_age_s": max_age_s, "limit": limit},
    )
    return [as_work(row) for row in rows]


async def in_turn(database: Database) -> list[str]:
    """The ids of all that wait, in the order in which they will be claimed."""
    rows = await database.statement(f"select id from ({_WAITING}) waiting order by {_IN_TURN}", {})
    return [row["id"] for row in rows]
