from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from nanobanana.domain.billing.types import Balance, BilledMonth, Difference, Movement
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import accounts, balances, ledger, plans

# The greatest bigint.
_BEYOND_ALL = 2**63 - 1


async def credit(
    connection: AsyncConnection, *, account_id: str, micro_usd: int, note: str | None
) -> int | None:
    """The balance afterwards; None when it would not cover what is held of it."""
    await connection.execute(insert(balances).values(account_id=account_id).on_conflict_do_nothing())
    afterwards = balances.c.micro_usd + micro_usd
    statement = (
        update(balances)
        .where(balances.c.account_id == account_id, afterwards >= balances.c.held_micro_usd)
        .values(micro_usd=afterwards)
    )
    returned = await connection.execute(statement.returning(balances.c.micro_usd))
    balance: int | None = returned.scalar_one_or_none()
    if balance is None:
        return None
    await connection.execute(
        insert(ledger).values(
            account_id=account_id,
            kind="credit",
            day=text("(now() at time zone 'utc')::date"),
            micro_usd=micro_usd,
            note=note,
        )
    )
    return balance


async def move(connection: AsyncConnection, *, account_id: str, plan: str) -> datetime:
    """Gives the moment."""
    statement = update(accounts).where(accounts.c.id == account_id)
    # Not now(): a move that waited for another one began long before its turn.
    statement = statement.values(plan=plan, plan_moved_at=func.clock_timestamp())
    moved_at: datetime = (
        await connection.execute(statement.returning(accounts.c.plan_moved_at))
    ).scalar_one()
    return moved_at


async def movements(database: Database, *, account_id: str, before: int | None, limit: int) -> list[Movement]:
    """Newest first, older than the row `before`.

    Compared as pairs, only the index of both columns gives the order. With `account_id = ...` PostgreSQL walks back
    along the ids of all accounts for one that has many rows, which takes long when they are old."""
    rows = await database.statement(
        """
        select l.id, l.kind, l.created_at, l.generation_id, k.name as key_name,
               l.images, l.held_images, l.micro_usd, l.held_micro_usd
        from (
            select * from ledger
            where (account_id, id) < (%(account_id)s, %(before)s) and (account_id, id) > (%(account_id)s, 0)
            order by account_id desc, id desc limit %(limit)s
        ) l left join api_keys k on k.id = l.api_key_id
        order by l.id desc
        """,
        {"account_id": account_id, "before": before or _BEYOND_ALL, "limit": limit},
    )
    return [Movement(**row) for row in rows]


async def months(database: Database, *, account_id: str, limit: int) -> list[BilledMonth]:
    """Newest first."""
    rows = await database.statement(
        """
        select month, images, micro_usd from account_months where account_id = %(account_id)s
        order by month desc limit %(limit)s
        """,
        {"account_id": account_id, "limit": limit},
    )
    return [BilledMonth(**row) for row in rows]


async def balance(database: Database, *, account_id: str) -> Balance:
    rows = await database.statement(
        """
        select coalesce(b.micro_usd, 0) as micro_usd, coalesce(b.held_micro_usd, 0) as held_micro_usd,
               (select coalesce(sum(m.micro_usd), 0)::bigint from account_months m where m.account_id = a.id)
                   as spent_micro_usd
        from accounts a left join balances b on b.account_id = a.id where a.id = %(account_id)s
        """,
        {"account_id": account_id},
    )
    return Balance(**rows[0])


async def plan_names(connection: AsyncConnection) -> list[str]:
    return list((await connection.execute(select(plans.c.name).order_by(plans.c.name))).scalars())


async def differences(connection: AsyncConnection) -> list[Difference]:
    """Everywhere that two records of the same thing disagree, as of one moment."""
    found: list[Difference] = []
    await connection.execute(text("set transaction isolation level repeatable read read only"))
    for check, statement in _CHECKS.items():
        rows = await connection.execute(text(statement))
        found += [Difference(check=check, **row) for row in rows.mappings()]
    return found


# Each gives a row where the sums that a record keeps (left) differ from those of its movements (right).
_DISAGREE = """
    select subject, period::text as period, coalesce(recorded::text, 'nothing') as recorded,
           coalesce(expected::text, 'nothing') as expected
    from ({recorded}) recorded_sums
    full join ({expected}) expected_sums using (subject, period)
    where coalesce(recorded, {nothing}) is distinct from coalesce(expected, {nothing})
"""
_MONTH = "date_trunc('month', day)::date"
_CHECKS: Mapping[str, LiteralString] = {
    "account_months": _DISAGREE.format(
        recorded="""select account_id as subject, month as period,
                           array[images, held_images, micro_usd, held_micro_usd]::bigint[] as recorded
                    from account_months""",
        expected=f"""select account_id as subject, {_MONTH} as period,
                            array[sum(images), sum(held_images), -sum(micro_usd), sum(held_micro_usd)]::bigint[] as expected
                     from ledger where kind <> 'credit' group by 1, 2""",
        nothing="array[0, 0, 0, 0]::bigint[]",
    ),
    "key_months": _DISAGREE.format(
        recorded="""select api_key_id as subject, month as period, array[images, held_images]::bigint[] as recorded
                    from key_months""",
        expected=f"""select api_key_id as subject, {_MONTH} as period,
                            array[sum(images), sum(held_images)]::bigint[] as expected
                     from ledger where kind <> 'credit' group by 1, 2""",
        nothing="array[0, 0]::bigint[]",
    ),
    "free_days": _DISAGREE.format(
        recorded="""select 'free' as subject, day as period, array[images, held_images]::bigint[] as recorded
                    from free_days""",
        expected="""select 'free' as subject, day as period, array[sum(images), sum(held_images)]::bigint[] as expected
                    from ledger where from_free_pool group by 1, 2""",
        nothing="array[0, 0]::bigint[]",
    ),
    "balances": _DISAGREE.format(
        recorded="""select account_id as subject, null::date as period,
                           array[micro_usd, held_micro_usd]::bigint[] as recorded from balances""",
        expected="""select account_id as subject, null::date as period,
                           array[sum(micro_usd), sum(held_micro_usd)]::bigint[] as expected
                    from ledger group by 1""",
        nothing="array[0, 0]::bigint[]",
    )
    .replace("using (subject, period)", "using (subject)")
    .replace("period::text", "''"),
    "generations": """
        select coalesce(g.id, l.generation_id) as subject,
               coalesce((g.created_at at time zone 'utc')::date::text, '') as period,
               coalesce(g.state, 'nothing') as recorded,
               format('ledger: %s captured, %s held', coalesce(l.images, 0), coalesce(l.held_images, 0)) as expected
        from (select * from generations where mode = 'live') g
        full join (
            select generation_id, sum(images) as images, sum(held_images) as held_images,
                   sum(held_micro_usd) as held_micro_usd, -sum(micro_usd) as micro_usd
            from ledger where generation_id is not null group by 1
        ) l on l.generation_id = g.id
        where (coalesce(l.images, 0), coalesce(l.held_images, 0), coalesce(l.micro_usd, 0), coalesce(l.held_micro_usd, 0))
              is distinct from (
                  (g.state = 'succeeded')::int, (g.state in ('queued', 'running'))::int,
                  case g.state when 'succeeded' then g.price_micro_usd else 0 end,
                  case when g.state in ('queued', 'running') then g.price_micro_usd else 0 end)
              -- Before there was a ledger, what failed left no trace in it.
              and not (l.generation_id is null and g.state not in ('queued', 'running', 'succeeded'))
    """,
    "usage_days": _DISAGREE.format(
        recorded="""select api_key_id as subject, day as period,
                           array[images, micro_usd, cost_micro_usd, failed, blocked]::bigint[] as recorded
                    from usage_days""",
        expected="""select api_key_id as subject, (created_at at time zone 'utc')::date as period,
                           array[count(*) filter (where state = 'succeeded'),
                                 coalesce(sum(price_micro_usd) filter (where state = 'succeeded'), 0),
                                 coalesce(sum(cost_micro_usd), 0),
                                 count(*) filter (where state in ('failed', 'expired')),
                                 count(*) filter (where state = 'blocked')]::bigint[] as expected
                    from generations where mode = 'live' and finished_at is not null group by 1, 2""",
        nothing="array[0, 0, 0, 0, 0]::bigint[]",
    ),
}
