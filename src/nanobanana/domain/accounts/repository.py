from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Interval,
    delete,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.functions import now

from nanobanana.domain.accounts.rules import fold_email
from nanobanana.domain.accounts.types import Account, Login, Period
from nanobanana.storage.database import AsyncConnection
from nanobanana.storage.tables import accounts, balances, plans, sign_ups

# Whoever pays by the image has a balance, if it is an empty one; it stays with the account on every plan.
_BALANCE = select(balances.c.micro_usd).where(balances.c.account_id == accounts.c.id)
_EMPTY = select(literal(0)).where(plans.c.name == accounts.c.plan, plans.c.price_micro_usd_per_image > 0)
MONEY = (
    accounts.c.plan,
    accounts.c.spending_cap_micro_usd,
    func.coalesce(
        _BALANCE.correlate(accounts).scalar_subquery(), _EMPTY.correlate(accounts).scalar_subquery()
    ).label("balance_micro_usd"),
)
_COLUMNS = (
    accounts.c.id,
    accounts.c.email,
    accounts.c.email_verified_at,
    accounts.c.created_at,
    *MONEY,
)
_LENGTHS: dict[Period, ColumnElement[timedelta]] = {
    "day": literal_column("interval '1 day'", Interval),
    "month": literal_column("interval '1 month'", Interval),
}


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
        .returning(accounts.c.id)
    )
    added = (await connection.execute(statement)).one_or_none()
    # Not by the insertion: its RETURNING would look for the balances of all accounts.
    return await find(connection, id=id) if added else None


async def find(connection: AsyncConnection, *, id: str) -> Account | None:
    statement = select(*_COLUMNS).where(accounts.c.id == id, accounts.c.erased_at.is_(None))
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Account(**row) if row else None


async def hold(connection: AsyncConnection, *, id: str) -> bool:
    """Whether the account is not erased, which then stays so until the transaction ends."""
    statement = select(accounts.c.id).where(accounts.c.id == id, accounts.c.erased_at.is_(None))
    # A share of the key: only an erasure waits for it.
    held = await connection.execute(statement.with_for_update(read=True, key_share=True))
    return held.one_or_none() is not None


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


async def cap_spending(connection: AsyncConnection, *, account_id: str, micro_usd: int | None) -> None:
    statement = update(accounts).where(accounts.c.id == account_id)
    await connection.execute(statement.values(spending_cap_micro_usd=micro_usd))


async def count_new_account(
    connection: AsyncConnection, *, subject: bytes, period: Period, limit: int
) -> bool:
    """Whether the subject has one less left of its `limit`, which is at least 1. Others who count for the same
    subject wait for the end of this transaction."""
    statement = (
        insert(sign_ups)
        .values(period_ends_at=_end_of(period), subject=subject, accounts=1)
        .on_conflict_do_update(
            index_elements=["period_ends_at", "subject"],
            set_={"accounts": sign_ups.c.accounts + 1},
            where=sign_ups.c.accounts < limit,
        )
        .returning(sign_ups.c.accounts)
    )
    return (await connection.execute(statement)).one_or_none() is not None


async def seconds_left(connection: AsyncConnection, *, period: Period) -> int:
    seconds = func.ceil(func.extract("epoch", _end_of(period) - now()))
    return int((await connection.execute(select(seconds))).scalar_one())


async def discard_ended_counts(connection: AsyncConnection) -> None:
    """A day late: a transaction goes by the moment it began at, which may lie before midnight."""
    await connection.execute(delete(sign_ups).where(sign_ups.c.period_ends_at < now() - timedelta(days=1)))


def _end_of(period: Period) -> ColumnElement[Any]:
    """By UTC's calendar, whatever the time zone of the session."""
    begin = func.date_trunc(period, func.timezone("UTC", now()), type_=DateTime)
    return func.timezone("UTC", begin + _LENGTHS[period], type_=DateTime(timezone=True))
