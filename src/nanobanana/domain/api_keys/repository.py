from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.sql.functions import now

from nanobanana.domain.api_keys.types import ApiKey, Mode
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import api_keys

_COLUMNS = (
    api_keys.c.id,
    api_keys.c.account_id,
    api_keys.c.mode,
    api_keys.c.name,
    api_keys.c.last4,
    api_keys.c.created_at,
)


async def add(
    connection: AsyncConnection, *, id: str, account_id: str, mode: Mode, name: str, hash: bytes, last4: str
) -> ApiKey:
    statement = insert(api_keys).returning(*_COLUMNS)
    values = {"id": id, "account_id": account_id, "mode": mode, "name": name, "hash": hash, "last4": last4}
    return ApiKey(**(await connection.execute(statement, values)).mappings().one())


async def list_alive(connection: AsyncConnection, *, account_id: str) -> list[ApiKey]:
    statement = (
        select(*_COLUMNS)
        .where(api_keys.c.account_id == account_id, api_keys.c.revoked_at.is_(None))
        .order_by(api_keys.c.id.desc())
    )
    return [ApiKey(**row) for row in (await connection.execute(statement)).mappings()]


async def revoke(connection: AsyncConnection, *, id: str, account_id: str) -> bool:
    statement = (
        update(api_keys)
        .where(api_keys.c.id == id, api_keys.c.account_id == account_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    return (await connection.execute(statement)).rowcount == 1


async def find_bearer(database: Database, *, hashes: Sequence[bytes]) -> dict[str, object] | None:
    """The living key with one of these hashes, and whether its account is suspended."""
    rows = await database.statement(
        """
        select k.id as api_key_id, k.account_id, k.mode, k.hash as key_hash,
               a.suspended_at is not null as suspended
        from api_keys k join accounts a on a.id = k.account_id
        where k.hash = any(%(hashes)s) and k.revoked_at is null
        """,
        {"hashes": list(hashes)},
    )
    return rows[0] if rows else None
