"""Reads the roll-ups that settling keeps: as fast for a million images a day as for one."""

from datetime import date
from typing import cast

from nanobanana.domain.usage.types import KeyMonth, Standing, UsageDay
from nanobanana.storage.database import Database


async def days(database: Database, *, account_id: str, first: date, last: date) -> list[UsageDay]:
    """Newest first; days without use are not there."""
    rows = await database.statement(
        """
        select day, api_key_id, images, micro_usd / 1e6::float8 as amount_usd, failed, blocked from usage_days
        where account_id = %(account_id)s and day between %(first)s and %(last)s
        order by day desc, api_key_id
        """,
        {"account_id": account_id, "first": first, "last": last},
    )
    return cast("list[UsageDay]", rows)


async def standing(database: Database, *, account_id: str) -> Standing:
    rows = await database.statement(
        """
        with period as (select date_trunc('month', now() at time zone 'utc') as begins)
        select a.plan, coalesce(m.images, 0) as images, coalesce(m.held_images, 0) as in_progress,
               p.images_per_month as quota, (period.begins + interval '1 month') at time zone 'utc' as resets_at,
               p.price_micro_usd_per_image > 0 as is_paid_by_image,
               coalesce(m.micro_usd, 0) as spent_micro_usd, coalesce(m.held_micro_usd, 0) as held_micro_usd,
               a.spending_cap_micro_usd, coalesce(b.micro_usd, 0) as balance_micro_usd
        from period
        join accounts a on a.id = %(account_id)s
        join plans p on p.name = a.plan
        left join account_months m on m.account_id = a.id and m.month = period.begins::date
        left join balances b on b.account_id = a.id
        """,
        {"account_id": account_id},
    )
    return Standing(**rows[0])


async def keys(database: Database, *, account_id: str) -> list[KeyMonth]:
    """The living live keys, newest first."""
    rows = await database.statement(
        """
        select k.id as api_key_id, k.name, coalesce(m.images + m.held_images, 0) as images, k.monthly_image_cap as cap
        from api_keys k
        left join key_months m
             on m.api_key_id = k.id and m.month = date_trunc('month', now() at time zone 'utc')::date
        where k.account_id = %(account_id)s and k.mode = 'live' and k.revoked_at is null
        order by k.id desc
        """,
        {"account_id": account_id},
    )
    return [KeyMonth(**row) for row in rows]
