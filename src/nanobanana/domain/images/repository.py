"""Pictures in PostgreSQL, for a service without a store: kept for a day, handed over as data: URLs."""

from nanobanana.storage.database import Database


class DatabaseStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, name: str, data: bytes) -> None:
        await self._database.statement(
            """
            insert into image_bytes (name, data, expires_at)
            values (%(name)s, %(data)s, now() + interval '24 hours') on conflict (name) do nothing
            """,
            {"name": name, "data": data},
        )

    async def get(self, name: str) -> bytes | None:
        rows = await self._database.statement(
            "select data from image_bytes where name = %(name)s and expires_at > now()", {"name": name}
        )
        return rows[0]["data"] if rows else None

    async def delete(self, name: str) -> None:
        await self._database.statement("delete from image_bytes where name = %(name)s", {"name": name})

    def file(self, name: str) -> None:
        del name

    async def names(self, beginning: str) -> list[str]:
        rows = await self._database.statement(
            "select name from image_bytes where starts_with(name, %(beginning)s)", {"beginning": beginning}
        )
        return [row["name"] for row in rows]

    async def discard_expired(self) -> None:
        await self._database.statement("delete from image_bytes where expires_at < now()", {})
