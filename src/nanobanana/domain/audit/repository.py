from collections.abc import Mapping

from sqlalchemy import insert, select

from nanobanana.domain.audit.types import Action, Entry
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import accounts, audit_log


async def record(
    connection: AsyncConnection, action: Action, *, account_id: str, detail: Mapping[str, object]
) -> None:
    """What an operator does, in the transaction that does it."""
    values = {"account_id": account_id, "actor": "operator", "action": action, "detail": detail}
    await connection.execute(insert(audit_log).values(values))


async def newest(connection: AsyncConnection, *, account_id: str | None, limit: int) -> list[Entry]:
    """Of one account, or of all; the newest last."""
    columns = (
        audit_log.c.created_at,
        audit_log.c.actor,
        audit_log.c.action,
        audit_log.c.account_id,
        accounts.c.email,
        audit_log.c.detail,
    )
    statement = select(*columns).outerjoin(accounts, accounts.c.id == audit_log.c.account_id)
    if account_id:
        statement = statement.where(audit_log.c.account_id == account_id)
    rows = await connection.execute(statement.order_by(audit_log.c.id.desc()).limit(limit))
    return [Entry(**row) for row in reversed(rows.mappings().all())]
