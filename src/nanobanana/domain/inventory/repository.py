from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any, LiteralString

from nanobanana.domain.inventory.rules import day_of, first_millisecond
from nanobanana.domain.inventory.types import Row
from nanobanana.kit.ids import first_id_of, milliseconds_of
from nanobanana.storage.database import Database

_PAGE = 1_000

_COLUMNS: LiteralString = """
    g.id, g.image_name, g.image_format, g.image_bytes, g.image_place, g.finished_at is not null as ended,
    g.image_place is not null and (g.expires_at is null or g.expires_at > now()) as living,
    case when g.expires_at is not null then greatest(ceil(extract(epoch from g.expires_at - now())), 1)::bigint end as keep_s,
    case g.image_place when 'waiting' then (
        select octet_length(b.data)::bigint from image_bytes b
        where b.name = g.image_name || case g.image_format when 'jpeg' then '.jpg' else '.' || g.image_format end
    ) end as waiting_bytes
"""


async def next_day(database: Database, after: date | None) -> date | None:
    """The first day behind one, or at all, of which there are rows."""
    first = first_id_of("gen", first_millisecond(after + timedelta(days=1))) if after else ""
    rows = await database.statement(
        "select id from generations where id >= %(first)s order by id limit 1", {"first": first}
    )
    return day_of(milliseconds_of(rows[0]["id"])) if rows else None


async def rows_of_day(database: Database, day: date) -> AsyncIterator[Row]:
    """In the order of their ids, a page in memory at a time."""
    first, past = (first_id_of("gen", first_millisecond(moment)) for moment in (day, day + timedelta(days=1)))
    while page := await _rows(database, first=first, past=past, limit=_PAGE):
        for row in page:
            yield row
        # The smallest text behind an id.
        first = f"{page[-1].id}\x01"


async def rows_of_moment(database: Database, milliseconds: int) -> list[Row]:
    first, past = (first_id_of("gen", moment) for moment in (milliseconds, milliseconds + 1))
    return await _rows(database, first=first, past=past, limit=None)


async def row_count(database: Database) -> int:
    async with database.begin(patience_s=_COUNT_S) as connection:
        return int((await connection.exec_driver_sql("select count(*) from generations")).scalar_one())


async def pictures_in_store(database: Database) -> tuple[int, int]:
    """How many live there, and their bytes."""
    statement = """
        select count(*) as pictures, coalesce(sum(image_bytes), 0)::bigint as bytes from generations
        where image_place = 'store' and (expires_at is null or expires_at > now())
    """
    async with database.begin(patience_s=_COUNT_S) as connection:
        row = (await connection.exec_driver_sql(statement)).mappings().one()
        return row["pictures"], row["bytes"]


# Reads all generations once.
_COUNT_S = 600


async def _rows(database: Database, *, first: str, past: str, limit: int | None) -> list[Row]:
    parameters: dict[str, Any] = {"first": first, "past": past, "limit": limit}
    rows = await database.statement(
        f"select {_COLUMNS} from generations g where g.id >= %(first)s and g.id < %(past)s order by g.id limit %(limit)s",
        parameters,
    )
    return [Row(**row) for row in rows]
