from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.sql.functions import now

from nanobanana.domain.accounts.repository import MONEY
from nanobanana.domain.personal_data.types import Owner, PendingAddress, Trace
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import accounts, one_time_tokens

# How long whoever erases an account may be silent before another goes on; also how soon somebody looks again whether
# generations that were still being made have ended.
_LEASE = "interval '1 minute'"


async def find_owner(connection: AsyncConnection, *, account_id: str) -> Owner | None:
    columns = (
        accounts.c.id,
        accounts.c.email,
        accounts.c.email_verified_at,
        accounts.c.plan_moved_at,
        *MONEY,
        accounts.c.suspended_at,
        accounts.c.created_at,
    )
    statement = select(*columns).where(accounts.c.id == account_id, accounts.c.erased_at.is_(None))
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Owner(**row) if row else None


async def find_pending_address(connection: AsyncConnection, *, account_id: str) -> PendingAddress | None:
    columns = (one_time_tokens.c.email, one_time_tokens.c.created_at, one_time_tokens.c.expires_at)
    statement = select(*columns).where(
        one_time_tokens.c.account_id == account_id, one_time_tokens.c.purpose == "confirm_email"
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return PendingAddress(**row) if row else None


async def part_from_owner(connection: AsyncConnection, *, account_id: str, password_hash: str) -> str | None:
    """The address that was the account's; None when the password is another by now, or the account erased.

    Until the transaction ends, whoever would add something to the account waits, and then finds nobody."""
    of_account = accounts.c.id == account_id
    statement = select(accounts.c.email).where(of_account, accounts.c.password_hash == password_hash)
    email: str | None = (await connection.execute(statement.with_for_update())).scalar_one_or_none()
    if email:
        nobody = {"email": None, "email_folded": None, "password_hash": None, "email_verified_at": None}
        await connection.execute(update(accounts).where(of_account).values(**nobody, erased_at=now()))
    return email


async def claim(database: Database) -> str | None:
    """An erased account with something left to erase, under a lease of the caller's."""
    rows = await database.statement(
        f"""
        update accounts set erasure_lease_until = now() + {_LEASE}
        where id = (
            select id from accounts
            where erased_at is not null and erasure_finished_at is null
                  and (erasure_lease_until is null or erasure_lease_until < now())
            -- Those that went wrong before come last.
            order by erasure_lease_until nulls first limit 1 for update skip locked
        )
        returning id
        """,
        {},
    )
    return rows[0]["id"] if rows else None


async def next_traces(database: Database, *, account_id: str, after: str, limit: int) -> list[Trace]:
    """Generations after the id, oldest first. Renews the lease."""
    rows = await database.statement(
        f"""
        with held as (
            update accounts set erasure_lease_until = now() + {_LEASE} where id = %(account_id)s
        )
        select id, image_name, image_format, image_place, attempt, state not in ('queued', 'running') as ended,
               prompt = '' and image_place is null as erased
        from generations where account_id = %(account_id)s and id > %(after)s
        order by id limit %(limit)s
        """,
        {"account_id": account_id, "after": after, "limit": limit},
    )
    return [Trace(**row) for row in rows]


async def empty_generations(database: Database, ids: Sequence[str]) -> None:
    """Nothing of what the person wrote is left in the rows; what was made and what it cost stays."""
    await database.statement(
        """
        update generations
        set prompt = '', image_state = case image_state when 'kept' then 'deleted' else image_state end
        where id = any(%(ids)s)
        """,
        {"ids": list(ids)},
    )


async def note_gone(database: Database, ids: Sequence[str]) -> None:
    """Nothing of their pictures is anywhere any more."""
    await database.statement(
        "update generations set image_place = null where id = any(%(ids)s)", {"ids": list(ids)}
    )


async def empty_keys(database: Database, *, account_id: str, limit: int) -> bool:
    """Whether there were any left."""
    rows = await database.statement(
        """
        update api_keys set name = '', allowed_addresses = null
        where id in (
            select id from api_keys
            where account_id = %(account_id)s and (name <> '' or allowed_addresses is not null)
            limit %(limit)s
        )
        returning id
        """,
        {"account_id": account_id, "limit": limit},
    )
    return bool(rows)


async def delete_idempotency_keys(database: Database, *, account_id: str) -> None:
    """A caller may have put anything into them. No more come: the API keys are dead."""
    await database.statement(
        "delete from idempotency_keys where account_id = %(account_id)s", {"account_id": account_id}
    )


async def finish(database: Database, *, account_id: str) -> None:
    await database.statement(
        """
        update accounts set erasure_finished_at = now(), erasure_lease_until = null
        where id = %(account_id)s and erasure_finished_at is null
        """,
        {"account_id": account_id},
    )
