from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.functions import now

from nanobanana.domain.accounts.rules import fold_email
from nanobanana.domain.credentials.types import Credentials, Purpose
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import accounts, one_time_tokens

_LIFETIMES: dict[Purpose, timedelta] = {
    "reset_password": timedelta(hours=1),
    "confirm_email": timedelta(hours=24),
}
_COLUMNS = (accounts.c.id.label("account_id"), accounts.c.email, accounts.c.password_hash)


async def find(connection: AsyncConnection, *, account_id: str) -> Credentials | None:
    statement = select(*_COLUMNS).where(accounts.c.id == account_id, accounts.c.erased_at.is_(None))
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Credentials(**row) if row else None


async def find_by_token(
    connection: AsyncConnection, *, purpose: Purpose, token_hash: bytes
) -> Credentials | None:
    """Whose token this is. It is not used up by that, and may be gone a moment later."""
    statement = (
        select(*_COLUMNS)
        .join(one_time_tokens, one_time_tokens.c.account_id == accounts.c.id)
        .where(*_living(purpose, token_hash))
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Credentials(**row) if row else None


async def put_token(
    connection: AsyncConnection,
    *,
    id: str,
    account_id: str,
    purpose: Purpose,
    token_hash: bytes | None = None,
    email: str | None = None,
) -> None:
    """A token in the place of any earlier one for the same purpose."""
    values = {
        "id": id,
        "token_hash": token_hash,
        "email": email,
        "expires_at": now() + _LIFETIMES[purpose],
        "created_at": now(),
    }
    statement = insert(one_time_tokens).values(account_id=account_id, purpose=purpose, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["account_id", "purpose"], set_=values)
    )


async def put_token_hash(connection: AsyncConnection, *, id: str, token_hash: bytes) -> str | None:
    """The address to be confirmed by the token from now on, or None when the wish is no longer."""
    statement = (
        update(one_time_tokens)
        .where(one_time_tokens.c.id == id)
        .values(token_hash=token_hash, expires_at=now() + _LIFETIMES["confirm_email"])
        .returning(one_time_tokens.c.email)
    )
    email: str | None = (await connection.execute(statement)).scalar_one_or_none()
    return email


async def take_token(
    connection: AsyncConnection, *, purpose: Purpose, token_hash: bytes
) -> tuple[str, str | None] | None:
    """Account and address of a token, which nobody else gets any more.

    Locks the account before the token, in the order of all who change credentials."""
    owner = (
        select(accounts.c.id)
        .join(one_time_tokens, one_time_tokens.c.account_id == accounts.c.id)
        .where(*_living(purpose, token_hash))
        .with_for_update(of=accounts, key_share=True)
        .cte()
    )
    statement = (
        delete(one_time_tokens)
        .where(one_time_tokens.c.account_id == owner.c.id, *_living(purpose, token_hash))
        .returning(one_time_tokens.c.account_id, one_time_tokens.c.email)
    )
    row = (await connection.execute(statement)).one_or_none()
    return (row.account_id, row.email) if row else None


async def end_tokens(connection: AsyncConnection, *, account_id: str) -> None:
    await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.account_id == account_id))


async def reset_password(connection: AsyncConnection, *, account_id: str, password_hash: str) -> None:
    """The link came by mail, so the address is verified by it too."""
    statement = (
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(
            password_hash=password_hash,
            email_verified_at=func.coalesce(accounts.c.email_verified_at, now()),
        )
    )
    await connection.execute(statement)


async def replace_email(connection: AsyncConnection, *, account_id: str, email: str) -> str | None:
    """The old address, or None when the new one has an account by now."""
    statement = select(accounts.c.email).where(accounts.c.id == account_id).with_for_update()
    old: str = (await connection.execute(statement)).scalar_one()
    try:
        async with connection.begin_nested():
            await connection.execute(
                update(accounts)
                .where(accounts.c.id == account_id)
                .values(email=email, email_folded=fold_email(email), email_verified_at=now())
            )
    except IntegrityError:
        return None
    return old


async def discard_expired(connection: AsyncConnection) -> None:
    await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.expires_at <= now()))


def _living(purpose: Purpose, token_hash: bytes) -> tuple[ColumnElement[bool], ...]:
    return (
        one_time_tokens.c.purpose == purpose,
        one_time_tokens.c.token_hash == token_hash,
        one_time_tokens.c.expires_at > now(),
    )
