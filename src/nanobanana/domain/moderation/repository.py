import orjson
from sqlalchemy import text, update

from nanobanana.domain.moderation.types import Suspension
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import accounts

_SUSPEND = text("select suspend_account(:account_id, 'operator', cast(:detail as jsonb))")


async def count_refusal(database: Database, *, account_id: str, refusals_per_day: int) -> None:
    """Of a prompt that never became a generation; settling counts the others. The last one suspends the account."""
    await database.statement(
        "select count_refusal(%(account_id)s, %(refusals_per_day)s)",
        {"account_id": account_id, "refusals_per_day": refusals_per_day},
    )


async def suspend(connection: AsyncConnection, *, account_id: str, reason: str | None) -> bool:
    """False when it was suspended already. The mail and the row in the audit log come with it."""
    detail = orjson.dumps({"reason": reason}).decode()
    return bool(
        (await connection.execute(_SUSPEND, {"account_id": account_id, "detail": detail})).scalar_one()
    )


async def unsuspend(connection: AsyncConnection, *, account_id: str) -> bool:
    """False when it was not suspended. Refusals are counted anew from here on."""
    statement = update(accounts).where(accounts.c.id == account_id, accounts.c.suspended_at.is_not(None))
    return (await connection.execute(statement.values(suspended_at=None, refusals=0))).rowcount == 1


async def find_suspension(database: Database, *, account_id: str) -> Suspension | None:
    """None when the account is not suspended any more, or erased."""
    rows = await database.statement(
        """
        select a.email, (l.detail->>'refusals')::int as refusals, (l.detail->>'day')::date as day,
               l.detail->>'reason' as reason
        from accounts a join audit_log l on l.account_id = a.id and l.action = 'suspend'
        where a.id = %(account_id)s and a.suspended_at is not null and a.erased_at is null
        order by l.id desc limit 1
        """,
        {"account_id": account_id},
    )
    return Suspension(**rows[0]) if rows else None
