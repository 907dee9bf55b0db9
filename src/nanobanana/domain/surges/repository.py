from datetime import datetime, timedelta

from sqlalchemy import func, or_, update

from nanobanana.domain.surges.types import KeyHour, Surge
from nanobanana.kit.ids import first_id
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import api_keys

# Ids carry the clocks of the processes, rows the one of PostgreSQL.
_CLOCKS_APART = timedelta(minutes=5)
_REPORTED_AT_MOST_EACH = timedelta(hours=24)

_KEY_HOUR = "h.api_key_id, h.hour, h.images, earlier.hours as earlier_hours, earlier.usual_images"
# An hour `h` of a key `k` that is not revoked, with the week before it.
_HOURS = """
    api_key_hours h join api_keys k on k.id = h.api_key_id and k.revoked_at is null
    cross join lateral (
        select count(*) as hours, coalesce(avg(images), 0)::float8 as usual_images
        from api_key_hours
        where api_key_id = h.api_key_id and hour < h.hour and hour >= h.hour - interval '7 days'
    ) earlier
"""


async def count(database: Database, *, since: datetime) -> None:
    """Writes down what each live key was admitted for in each hour from `since`, the beginning of one.

    The numbers are whole each time, so that any process may count at any time. By their ids only the newest
    generations are read, however many there are."""
    await database.statement(
        """
        insert into api_key_hours (api_key_id, hour, images)
        select api_key_id, date_trunc('hour', created_at, 'UTC') as hour, count(*)
        from generations
        where id >= %(first_id)s and created_at >= %(since)s and mode = 'live'
        -- In one order: another process may write the same rows now.
        group by api_key_id, hour order by api_key_id, hour
        on conflict (api_key_id, hour) do update set images = excluded.images
        where api_key_hours.images < excluded.images
        """,
        {"first_id": first_id("gen", since - _CLOCKS_APART), "since": since},
    )


async def busy(database: Database, *, since: datetime, images: int) -> list[KeyHour]:
    """Hours from `since` with at least so many images, of keys whose owners may be told."""
    rows = await database.statement(
        f"""
        select {_KEY_HOUR} from {_HOURS}
        where h.hour >= %(since)s and h.images >= %(images)s
              and (k.surge_reported_at is null or k.surge_reported_at <= now() - %(pause)s)
        """,
        {"since": since, "images": images, "pause": _REPORTED_AT_MOST_EACH},
    )
    return [KeyHour(**row) for row in rows]


async def take_report(connection: AsyncConnection, *, api_key_id: str) -> bool:
    """Whether the caller is to report the key, which nobody else does for a day."""
    reported_at = api_keys.c.surge_reported_at
    due = or_(reported_at.is_(None), reported_at <= func.now() - _REPORTED_AT_MOST_EACH)
    statement = update(api_keys).where(api_keys.c.id == api_key_id, api_keys.c.revoked_at.is_(None), due)
    return (await connection.execute(statement.values(surge_reported_at=func.now()))).rowcount == 1


async def find(database: Database, *, api_key_id: str, hour: datetime) -> Surge | None:
    rows = await database.statement(
        f"""
        select {_KEY_HOUR}, k.name as key_name, k.last4, a.email
        from {_HOURS} join accounts a on a.id = k.account_id
        where h.api_key_id = %(api_key_id)s and h.hour = %(hour)s
        """,
        {"api_key_id": api_key_id, "hour": hour},
    )
    return Surge(**rows[0]) if rows else None


async def discard_old(database: Database) -> None:
    """What no hour is held against any more, and a day more for mails that are late."""
    await database.statement("delete from api_key_hours where hour < now() - interval '8 days'", {})
