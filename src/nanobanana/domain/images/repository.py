"""Pictures in PostgreSQL, for a service without a store: kept for a day, handed over as data: URLs."""

from collections.abc import Sequence
from datetime import datetime

from nanobanana.domain.images.types import ImagePlace
from nanobanana.storage.database import Database

# For as long as a caller may take to fetch one.
KEPT_S = 86_400


class DatabaseStore:
    place: ImagePlace = "database"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        del keep_s
        await self._database.statement(
            """
            insert into image_bytes (name, data, expires_at)
            values (%(name)s, %(data)s, now() + make_interval(secs => %(kept_s)s)) on conflict (name) do nothing
            """,
            {"name": name, "data": data, "kept_s": KEPT_S},
        )

    async def get(self, name: str) -> bytes | None:
        rows = await self._database.statement(
            "select data from image_bytes where name = %(name)s and expires_at > now()", {"name": name}
        )
        return rows[0]["data"] if rows else None

    async def has(self, name: str) -> bool:
        rows = await self._database.statement(
            "select 1 from image_bytes where name = %(name)s and expires_at > now()", {"name": name}
        )
        return bool(rows)

    async def delete(self, names: Sequence[str]) -> None:
        await self._database.statement(
            "delete from image_bytes where name = any(%(names)s)", {"names": list(names)}
        )

    def link(self, name: str, *, expires_at: datetime | None) -> None:
        del name, expires_at

    @property
    def origin(self) -> None:
        return None

    def file(self, name: str) -> None:
        del name

    async def names(self, beginning: str) -> list[str]:
        rows = await self._database.statement(
            "select name from image_bytes where starts_with(name, %(beginning)s)", {"beginning": beginning}
        )
        return [row["name"] for row in rows]

    async def discard_expired(self) -> None:
        await self._database.statement("delete from image_bytes where expires_at < now()", {})
