from datetime import datetime, timedelta

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.sql.functions import now

from nanobanana.domain.sessions.types import Session
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import sessions

_COLUMNS = (
    sessions.c.id,
    sessions.c.account_id,
    sessions.c.user_agent,
    sessions.c.created_at,
    sessions.c.last_used_at,
    sessions.c.expires_at,
)
IDLE = timedelta(days=14)
_ALIVE = and_(sessions.c.expires_at > now(), sessions.c.last_used_at > now() - IDLE)
# How exactly the last use is known; each update is a write on the way of a request.
_LAST_USED_STEP = timedelta(hours=1)


async def add(
    connection: AsyncConnection,
    *,
    id: str,
    account_id: str,
    token_hash: bytes,
    lifetime: timedelta,
    user_agent: str | None,
) -> datetime:
    """When the session ends, by the database's clock."""
    statement = (
        insert(sessions)
        .values(
            id=id,
            account_id=account_id,
            token_hash=token_hash,
            expires_at=now() + lifetime,
            user_agent=user_agent,
        )
        .returning(sessions.c.expires_at)
    )
    expires_at: datetime = (await connection.execute(statement)).scalar_one()
    return expires_at


async def use(connection: AsyncConnection, *, token_hash: bytes) -> Session | None:
    """The living session with this token; that it is used now is written when an hour has passed since."""
    of_token = sessions.c.token_hash == token_hash
    due = (sessions.c.last_used_at < now() - _LAST_USED_STEP).label("due")
    row = (await connection.execute(select(*_COLUMNS, due).where(of_token, _ALIVE))).mappings().one_or_none()
    if row is None:
        return None
    if row["due"]:
        await connection.execute(update(sessions).where(of_token).values(last_used_at=now()))
    return Session(**{column.name: row[column.name] for column in _COLUMNS})


async def list_alive(connection: AsyncConnection, *, account_id: str) -> list[Session]:
    statement = (
        select(*_COLUMNS).where(sessions.c.account_id == account_id, _ALIVE).order_by(sessions.c.id.desc())
    )
    return [Session(**row) for row in (await connection.execute(statement)).mappings()]


async def end(connection: AsyncConnection, *, id: str, account_id: str) -> bool:
    statement = delete(sessions).where(sessions.c.id == id, sessions.c.account_id == account_id, _ALIVE)
    return (await connection.execute(statement)).rowcount == 1


async def end_all(connection: AsyncConnection, *, account_id: str, but: str | None) -> None:
    statement = delete(sessions).where(sessions.c.account_id == account_id)
    await connection.execute(statement.where(sessions.c.id != but) if but else statement)


async def end_by_token(connection: AsyncConnection, *, token_hash: bytes) -> None:
    await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


async def discard_expired(connection: AsyncConnection) -> None:
    statement = delete(sessions).where(
        or_(sessions.c.expires_at <= now(), sessions.c.last_used_at <= now() - IDLE)
    )
    await connection.execute(statement)
