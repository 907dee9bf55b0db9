"""Rows of `image_bytes`. Without an end: what waits for the store; one without bytes says that its picture is deleted, and
that the store may have got it meanwhile. With an end: what waits for its caller, also after IMAGE_STORE is `none` no more.
"""

from collections.abc import Sequence
from typing import Any

from nanobanana.domain.images.names import parsed
from nanobanana.domain.images.types import WaitingPicture
from nanobanana.kit.ids import first_id_of
from nanobanana.storage.database import Database

# How long a process may take to bring a picture to the store before another does: the leisure it has, and some more.
_LEASE = "interval '30 seconds'"
# A picture is put here an instant before its row says so.
_SETTLED_WITHIN = "interval '2 seconds'"
# By then whoever has made it has settled it, or never will.
_ABANDONED_AFTER = "interval '1 day'"


async def put(database: Database, name: str, data: bytes) -> None:
    await database.statement(
        "insert into image_bytes (name, data) values (%(name)s, %(data)s) on conflict (name) do nothing",
        {"name": name, "data": data},
    )


async def get(database: Database, name: str) -> bytes | None:
    """Also of pictures that wait for no store, but for their callers."""
    rows = await database.statement(
        """
        select data from image_bytes
        where name = %(name)s and data <> '' and (expires_at is null or expires_at > now())
        """,
        {"name": name},
    )
    return rows[0]["data"] if rows else None


async def names(database: Database, beginning: str) -> list[str]:
    rows = await database.statement(
        """
        select name from image_bytes
        where data <> '' and starts_with(name, %(beginning)s)
        """,
        {"beginning": beginning},
    )
    return [row["name"] for row in rows]


async def empty(database: Database, names: Sequence[str]) -> None:
    """Those with an end go as a whole: no mover has brought them anywhere."""
    await database.statement(
        """
        with ended as (delete from image_bytes where name = any(%(names)s) and expires_at is not null)
        update image_bytes set data = '' where name = any(%(names)s) and expires_at is null
        """,
        {"names": list(names)},
    )


async def total_bytes(database: Database) -> int:
    """Of no picture the bytes are read for that."""
    rows = await database.statement(
        "select coalesce(sum(octet_length(data)), 0)::bigint as bytes from image_bytes where expires_at is null",
        {},
    )
    total: int = rows[0]["bytes"]
    return total


async def claim(database: Database, *, limit: int) -> list[str]:
    """Names that are now the caller's to bring to the store."""
    rows = await database.statement(
        f"""
        update image_bytes set lease_until = now() + {_LEASE}
        where name in (
            select name from image_bytes
            where expires_at is null and created_at < now() - {_SETTLED_WITHIN}
                  and (lease_until is null or lease_until < now())
            order by lease_until nulls first limit %(limit)s for update skip locked
        )
        returning name
        """,
        {"limit": limit},
    )
    return [row["name"] for row in rows]


async def release(database: Database, name: str) -> None:
    """Lets anybody claim it, after those that nobody has tried yet."""
    await database.statement(
        "update image_bytes set lease_until = now() where name = %(name)s", {"name": name}
    )


async def look_up(database: Database, names: Sequence[str]) -> list[WaitingPicture]:
    """How they stand, also those that do not wait any more."""
    rows = await database.statement(
        f"""
        select n.name, b.data is not null and b.data <> '' as has_bytes,
               coalesce(b.created_at < now() - {_ABANDONED_AFTER}, false) as is_old,
               exists (
                   select from generations
                   where id >= n.first_id and id < n.end_id and finished_at is null
                         and split_part(image_name, '-', 1) = split_part(n.stem, '-', 1)
               ) as is_wanted,
               g.image_place as place, extract(epoch from g.expires_at - now())::bigint as keep_s
        from unnest(%(names)s::text[], %(stems)s::text[], %(firsts)s::text[], %(ends)s::text[])
             as n (name, stem, first_id, end_id)
        left join image_bytes b on b.name = n.name
        left join lateral (
            select image_place, expires_at from generations
            where id >= n.first_id and id < n.end_id and image_name = n.stem
        ) g on true
        """,
        _by_row(names),
    )
    return [WaitingPicture(**row) for row in rows]


async def note_moved(database: Database, name: str) -> bool:
    """Its row says that it is in the store, and nothing waits any more. False, and nothing changed, when it was deleted
    meanwhile, or another process has done this."""
    rows = await database.statement(
        """
        with waiting as (
            select g.id
            from unnest(%(stems)s::text[], %(firsts)s::text[], %(ends)s::text[]) as n (stem, first_id, end_id)
            join generations g on g.id >= n.first_id and g.id < n.end_id and g.image_name = n.stem
            where g.image_place = 'waiting'
            for update of g
        ), gone as (
            delete from image_bytes
            where name = any(%(names)s) and data <> '' and exists (select from waiting)
            returning name
        )
        update generations set image_place = 'store'
        where id in (select id from waiting) and exists (select from gone)
        returning id
        """,
        _by_row([name]),
    )
    return bool(rows)


async def forget(database: Database, name: str) -> None:
    await database.statement("delete from image_bytes where name = %(name)s", {"name": name})


def _by_row(names: Sequence[str]) -> dict[str, Any]:
    """With the ids between which the row of each lies; none lie between those of a name that is not ours."""
    read = [parsed(name) for name in names]
    return {
        "names": list(names),
        "stems": [each.name if each else "" for each in read],
        "firsts": [first_id_of("gen", each.milliseconds) if each else "" for each in read],
        "ends": [first_id_of("gen", each.milliseconds + 1) if each else "" for each in read],
    }
