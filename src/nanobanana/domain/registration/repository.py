from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.functions import now

from nanobanana.domain.accounts.rules import fold_email
from nanobanana.domain.registration.types import Registration
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import registrations

_COLUMNS = (registrations.c.id, registrations.c.email, registrations.c.password_hash)
CODE_LIFETIME = timedelta(minutes=15)
_LIFETIME = timedelta(hours=24)
TRIES = 5


async def put(connection: AsyncConnection, *, id: str, email: str, password_hash: str) -> None:
    """A registration in the place of any earlier one of the address, whose code and link end."""
    values = {
        "id": id,
        "email": email,
        "password_hash": password_hash,
        "code_hash": None,
        "code_expires_at": None,
        "code_tries": 0,
        "token_hash": None,
        "expires_at": now() + _LIFETIME,
        "created_at": now(),
    }
    statement = insert(registrations).values(email_folded=fold_email(email), **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["email_folded"], set_=values))


async def find(connection: AsyncConnection, *, id: str) -> Registration | None:
    statement = select(*_COLUMNS).where(registrations.c.id == id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Registration(**row) if row else None


async def find_id(connection: AsyncConnection, *, email: str) -> str | None:
    statement = select(registrations.c.id).where(
        registrations.c.email_folded == fold_email(email), registrations.c.expires_at > now()
    )
    found: str | None = await connection.scalar(statement)
    return found


async def put_proofs(connection: AsyncConnection, *, id: str, code_hash: bytes, token_hash: bytes) -> None:
    """Code and link live from now on, and any earlier ones of this registration no longer."""
    statement = (
        update(registrations)
        .where(registrations.c.id == id)
        .values(
            code_hash=code_hash,
            code_expires_at=now() + CODE_LIFETIME,
            code_tries=0,
            token_hash=token_hash,
            expires_at=now() + _LIFETIME,
        )
    )
    await connection.execute(statement)


async def try_code(connection: AsyncConnection, *, email: str) -> tuple[Registration, bytes] | None:
    """The registration and its code's hash, with one try less: counted before anybody knows whether it is right,
    and under the row's lock, so that many guesses at once are no more than five."""
    statement = (
        update(registrations)
        .where(
            registrations.c.email_folded == fold_email(email),
            registrations.c.code_expires_at > now(),
            registrations.c.code_tries < TRIES,
        )
        .values(code_tries=registrations.c.code_tries + 1)
        .returning(*_COLUMNS, registrations.c.code_hash)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return Registration(id=row.id, email=row.email, password_hash=row.password_hash), row.code_hash


async def take(connection: AsyncConnection, *, id: str) -> None:
    await connection.execute(delete(registrations).where(registrations.c.id == id))


async def take_by_token(connection: AsyncConnection, *, token_hash: bytes) -> Registration | None:
    """The registration of this link, which nobody else gets any more."""
    statement = (
        delete(registrations)
        .where(registrations.c.token_hash == token_hash, registrations.c.expires_at > now())
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Registration(**row) if row else None


async def discard(connection: AsyncConnection, *, email: str) -> None:
    await connection.execute(delete(registrations).where(registrations.c.email_folded == fold_email(email)))


async def discard_expired(connection: AsyncConnection) -> None:
    await connection.execute(delete(registrations).where(registrations.c.expires_at <= now()))
