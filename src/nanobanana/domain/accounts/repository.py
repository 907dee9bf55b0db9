from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.functions import now

from nanobanana.domain.accounts.rules import fold_email
from nanobanana.domain.accounts.types import Account, Login
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import accounts

_COLUMNS = (accounts.c.id, accounts.c.email, accounts.c.email_verified_at, accounts.c.created_at)


async def add(
    connection: AsyncConnection, *, id: str, email: str, password_hash: str, plan: str, verified: bool
) -> Account | None:
    """The new account, or None when the address is taken, whoever registers at the same moment."""
    statement = (
        insert(accounts)
        .values(
            id=id,
            email=email,
            email_folded=fold_email(email),
            password_hash=password_hash,
            plan=plan,
            email_verified_at=now() if verified else None,
        )
        .on_conflict_do_nothing(index_elements=["email_folded"])
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Account(**row) if row else None


async def find(connection: AsyncConnection, *, id: str) -> Account | None:
    row = (await connection.execute(select(*_COLUMNS).where(accounts.c.id == id))).mappings().one_or_none()
    return Account(**row) if row else None


async def find_by_email(connection: AsyncConnection, *, email: str) -> Account | None:
    statement = select(*_COLUMNS).where(accounts.c.email_folded == fold_email(email))
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Account(**row) if row else None


async def find_login(connection: AsyncConnection, *, email: str) -> Login | None:
    statement = select(accounts.c.id.label("account_id"), accounts.c.password_hash).where(
        accounts.c.email_folded == fold_email(email)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Login(**row) if row else None


async def replace_password_hash(connection: AsyncConnection, *, account_id: str, old: str, new: str) -> bool:
    """Whether the hash still was the old one: of two who change the password at once, one does."""
    statement = (
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.password_hash == old)
        .values(password_hash=new)
    )
    return (await connection.execute(statement)).rowcount == 1
