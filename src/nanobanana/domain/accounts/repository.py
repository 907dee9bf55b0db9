from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.functions import now

from nanobanana.domain.accounts.types import Account
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import accounts, sessions

_COLUMNS = (accounts.c.id, accounts.c.email, accounts.c.email_verified_at, accounts.c.created_at)


async def add(
    connection: AsyncConnection, *, id: str, email: str, password_hash: str, plan: str
) -> Account | None:
    """The new account, or None when the address is taken, whoever registers at the same moment."""
    values = {
        "id": id,
        "email": email,
        "email_folded": _fold(email),
        "password_hash": password_hash,
        "plan": plan,
    }
    statement = (
        insert(accounts)
        .values(values)
        .on_conflict_do_nothing(index_elements=["email_folded"])
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Account(**row) if row else None


async def find_login(connection: AsyncConnection, *, email: str) -> tuple[str, str] | None:
    """Account id and password hash."""
    statement = select(accounts.c.id, accounts.c.password_hash).where(accounts.c.email_folded == _fold(email))
    row = (await connection.execute(statement)).one_or_none()
    return (row.id, row.password_hash) if row else None


async def add_session(
    connection: AsyncConnection, *, id: str, account_id: str, token_hash: bytes, lifetime: timedelta
) -> datetime:
    """When the session ends, by the database's clock."""
    statement = (
        insert(sessions)
        .values(id=id, account_id=account_id, token_hash=token_hash, expires_at=now() + lifetime)
        .returning(sessions.c.expires_at)
    )
    expires_at: datetime = (await connection.execute(statement)).scalar_one()
    return expires_at


async def find_by_session(connection: AsyncConnection, *, token_hash: bytes) -> Account | None:
    statement = (
        select(*_COLUMNS)
        .join(sessions, sessions.c.account_id == accounts.c.id)
        .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now())
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Account(**row) if row else None


async def end_session(connection: AsyncConnection, *, token_hash: bytes) -> None:
    await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def _fold(email: str) -> str:
    return email.casefold()
