"""The endpoints. One that is deleted is gone for everybody at once; its rows go by and by."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import RowMapping, func, insert, null, select, update
from sqlalchemy.sql.elements import ColumnElement

from nanobanana.domain.webhooks.types import DisabledReason, EventType, Webhook, WebhookChanges
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import accounts, webhooks

_COLUMNS = (
    webhooks.c.id,
    webhooks.c.url,
    webhooks.c.events,
    webhooks.c.disabled_reason,
    webhooks.c.failing_since,
    webhooks.c.previous_secret_expires_at,
    webhooks.c.created_at,
)


async def lock_account(connection: AsyncConnection, *, account_id: str) -> bool:
    """Until the transaction ends, nobody else adds an endpoint to the account. False when it is erased."""
    statement = select(accounts.c.id).where(accounts.c.id == account_id, accounts.c.erased_at.is_(None))
    # `key_share`: images go on being admitted meanwhile.
    locked = await connection.execute(statement.with_for_update(key_share=True))
    return locked.one_or_none() is not None


async def add(
    connection: AsyncConnection,
    *,
    id: str,
    account_id: str,
    url: str,
    events: Sequence[EventType],
    secret: bytes,
) -> Webhook:
    values = {"id": id, "account_id": account_id, "url": url, "events": list(events), "secret": secret}
    statement = insert(webhooks).values(values).returning(*_COLUMNS)
    return Webhook(**(await connection.execute(statement)).mappings().one())


async def count(connection: AsyncConnection, *, account_id: str) -> int:
    statement = select(func.count()).select_from(webhooks).where(*_of(account_id))
    return (await connection.execute(statement)).scalar_one()


async def list_of(connection: AsyncConnection, *, account_id: str) -> list[Webhook]:
    """Newest first."""
    statement = select(*_COLUMNS).where(*_of(account_id)).order_by(webhooks.c.id.desc())
    return [Webhook(**row) for row in (await connection.execute(statement)).mappings()]


async def get(connection: AsyncConnection, *, id: str, account_id: str) -> Webhook | None:
    statement = select(*_COLUMNS).where(webhooks.c.id == id, *_of(account_id))
    return _webhook((await connection.execute(statement)).mappings().one_or_none())


async def change(
    connection: AsyncConnection, *, id: str, account_id: str, changes: WebhookChanges
) -> Webhook | None:
    """Whoever changes where it leads or enables it thinks that it works: its failures are forgotten."""
    values: dict[str, object] = {name: changes[name] for name in ("url", "events") if name in changes}
    if "disabled" in changes:
        values["disabled_reason"] = "owner" if changes["disabled"] else null()
    if "url" in changes or changes.get("disabled") is False:
        values |= {"failing_since": null(), "held_until": null()}
    statement = update(webhooks).where(webhooks.c.id == id, *_of(account_id)).values(values)
    return _webhook((await connection.execute(statement.returning(*_COLUMNS))).mappings().one_or_none())


async def rotate_secret(
    connection: AsyncConnection, *, id: str, account_id: str, secret: bytes, overlap: timedelta
) -> Webhook | None:
    statement = (
        update(webhooks)
        .where(webhooks.c.id == id, *_of(account_id))
        .values(
            secret=secret,
            previous_secret=webhooks.c.secret,
            # Not now(): a rotation that waited for another one began long before its turn.
            previous_secret_expires_at=func.clock_timestamp() + overlap,
        )
        .returning(*_COLUMNS)
    )
    return _webhook((await connection.execute(statement)).mappings().one_or_none())


async def delete(connection: AsyncConnection, *, id: str, account_id: str) -> bool:
    statement = update(webhooks).where(webhooks.c.id == id, *_of(account_id)).values(deleted_at=func.now())
    return (await connection.execute(statement)).rowcount == 1


async def delete_all(connection: AsyncConnection, *, account_id: str) -> None:
    await connection.execute(update(webhooks).where(*_of(account_id)).values(deleted_at=func.now()))


async def disable(
    connection: AsyncConnection, id: str, *, reason: DisabledReason, failing_for: timedelta
) -> bool:
    """If it has failed for so long and is not disabled yet."""
    statement = update(webhooks).where(
        webhooks.c.id == id, webhooks.c.disabled_reason.is_(None), webhooks.c.deleted_at.is_(None)
    )
    if failing_for:
        statement = statement.where(webhooks.c.failing_since < func.now() - failing_for)
    return (await connection.execute(statement.values(disabled_reason=reason))).rowcount == 1


async def find_owner(database: Database, id: str) -> tuple[str, Webhook] | None:
    """The owner's address and the endpoint, as long as both are there."""
    statement = select(accounts.c.email, *_COLUMNS).join(accounts, accounts.c.id == webhooks.c.account_id)
    statement = statement.where(
        webhooks.c.id == id, webhooks.c.deleted_at.is_(None), accounts.c.erased_at.is_(None)
    )
    async with database.begin() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        return None
    return row["email"], Webhook(**{column.name: row[column.name] for column in _COLUMNS})


def _of(account_id: str) -> tuple[ColumnElement[bool], ...]:
    return webhooks.c.account_id == account_id, webhooks.c.deleted_at.is_(None)


def _webhook(row: RowMapping | None) -> Webhook | None:
    return Webhook(**row) if row else None
