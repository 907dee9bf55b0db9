"""What is to be sent, and who sends it: an endpoint is held by one process at a time, as long as it sends to it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, literal, select, true, update
from sqlalchemy.sql.functions import now

from nanobanana.domain.webhooks.types import Attempt, Delivery, DeliveryState, DueDelivery
from nanobanana.kit.ids import first_id, new_id
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import webhook_deliveries as deliveries
from nanobanana.storage.tables import webhooks

# Longer than a round of tries may take, its timeouts and the database's included.
_HOLD_S = 60
KEPT = timedelta(days=30)

_COLUMNS = (
    deliveries.c.id,
    deliveries.c.event_id,
    deliveries.c.type,
    deliveries.c.state,
    deliveries.c.attempts,
    deliveries.c.due_at,
    deliveries.c.last_attempt_at,
    deliveries.c.last_status,
    deliveries.c.last_error,
    deliveries.c.created_at,
)


async def add_test(connection: AsyncConnection, *, webhook_id: str) -> Delivery:
    values = {
        "id": new_id("whd"),
        "webhook_id": webhook_id,
        "event_id": new_id("evt"),
        "type": "webhook.test",
        "subject": {"webhook_id": webhook_id},
    }
    statement = insert(deliveries).values(values).returning(*_COLUMNS)
    return Delivery(**(await connection.execute(statement)).mappings().one())


async def replay(connection: AsyncConnection, id: str, *, webhook_id: str) -> Delivery | None:
    """As if it had never been tried, with the same id. After the last try the body is made anew, of what is still there."""
    statement = update(deliveries).where(deliveries.c.id == id, deliveries.c.webhook_id == webhook_id)
    statement = statement.values(state="pending", attempts=0, due_at=now())
    row = (await connection.execute(statement.returning(*_COLUMNS))).mappings().one_or_none()
    return Delivery(**row) if row else None


async def page(
    connection: AsyncConnection,
    *,
    webhook_id: str,
    state: DeliveryState | None,
    before: str | None,
    limit: int,
) -> list[Delivery]:
    """Newest first, older than the id `before`."""
    statement = select(*_COLUMNS).where(deliveries.c.webhook_id == webhook_id)
    if state:
        # In the clear: a plan for any state would not know that of the few that failed there is an index.
        statement = statement.where(deliveries.c.state == literal(state, literal_execute=True))
    if before:
        statement = statement.where(deliveries.c.id < before)
    rows = await connection.execute(statement.order_by(deliveries.c.id.desc()).limit(limit))
    return [Delivery(**row) for row in rows.mappings()]


async def find(
    connection: AsyncConnection, id: str, *, webhook_id: str
) -> tuple[Delivery, str | None] | None:
    """With its body, as long as it has one."""
    statement = select(*_COLUMNS, deliveries.c.body)
    statement = statement.where(deliveries.c.id == id, deliveries.c.webhook_id == webhook_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        return None
    return Delivery(**{column.name: row[column.name] for column in _COLUMNS}), row["body"]


async def newest_of_each(connection: AsyncConnection, *, account_id: str) -> dict[str, Delivery]:
    """By endpoint; of those that nothing was sent to yet, nothing."""
    newest = (
        select(deliveries.c.webhook_id, *_COLUMNS)
        .where(deliveries.c.webhook_id == webhooks.c.id)
        .order_by(deliveries.c.id.desc())
        .limit(1)
        .lateral()
    )
    statement = select(newest).select_from(webhooks.join(newest, true()))
    statement = statement.where(webhooks.c.account_id == account_id, webhooks.c.deleted_at.is_(None))
    rows = (await connection.execute(statement)).mappings()
    return {row["webhook_id"]: Delivery(**{c.name: row[c.name] for c in _COLUMNS}) for row in rows}


async def claim(database: Database, *, failing: bool, limit: int) -> list[str]:
    """Endpoints with something due that nobody holds, now held by the caller. Each once, however much is due."""
    rows = await database.statement(
        """
        -- What each endpoint is sent first, from one endpoint in the index to the next: whoever has thousands waiting
        -- costs no more than others.
        with recursive first as (
            (select webhook_id, due_at from webhook_deliveries
             where due_at is not null order by webhook_id, due_at limit 1)
            union all
            select next.* from first cross join lateral (
                select d.webhook_id, d.due_at from webhook_deliveries d
                where d.due_at is not null and d.webhook_id > first.webhook_id
                order by d.webhook_id, d.due_at limit 1
            ) next
        )
        update webhooks set held_until = now() + make_interval(secs => %(hold_s)s)
        where id in (
            select w.id from webhooks w join first on first.webhook_id = w.id
            where first.due_at <= now() and w.deleted_at is null and w.disabled_reason is null
                  and (w.held_until is null or w.held_until < now())
                  and (w.failing_since is not null) = %(failing)s
            -- Who was served last, or failed last, waits longest.
            order by w.held_until nulls first limit %(limit)s for update of w skip locked
        )
        returning id
        """,
        {"failing": failing, "limit": limit, "hold_s": _HOLD_S},
    )
    return [row["id"] for row in rows]


async def take_due(database: Database, webhook_id: str, *, limit: int) -> list[DueDelivery]:
    """The deliveries that have been due longest; nothing of an endpoint that was disabled or deleted meanwhile.
    Renews the hold."""
    rows = await database.statement(
        """
        with held as (
            update webhooks set held_until = now() + make_interval(secs => %(hold_s)s)
            where id = %(id)s and deleted_at is null and disabled_reason is null
            returning id, account_id, url,
                case when previous_secret_expires_at > now() then array[secret, previous_secret]
                     else array[secret] end as secrets
        )
        select d.id, w.id as webhook_id, w.account_id, w.url, w.secrets,
               d.event_id, d.type, d.subject, d.body, d.attempts, d.created_at
        from held w join webhook_deliveries d on d.webhook_id = w.id
        where d.due_at <= now() order by d.due_at, d.id limit %(limit)s
        """,
        {"id": webhook_id, "limit": limit, "hold_s": _HOLD_S},
    )
    return [DueDelivery(**row) for row in rows]


async def fix_body(database: Database, id: str, body: str) -> str | None:
    """The body from now on: the first one that anybody made. None when there is nothing left to send."""
    rows = await database.statement(
        """
        update webhook_deliveries set body = coalesce(body, %(body)s)
        where id = %(id)s and state = 'pending' returning body
        """,
        {"id": id, "body": body},
    )
    return rows[0]["body"] if rows else None


async def record(database: Database, delivery: DueDelivery, attempt: Attempt) -> None:
    """Changes nothing when somebody else has tried it, or its owner has replayed it, since it was taken. The body goes
    with the last try: it holds a prompt and a link, which are not to outlive what they are of."""
    await database.statement(
        """
        update webhook_deliveries
        set state = %(state)s, attempts = attempts + 1, due_at = now() + make_interval(secs => %(next_in_s)s),
            last_attempt_at = now(), last_status = %(status)s, last_error = %(problem)s,
            body = case %(state)s when 'pending' then body end
        where id = %(id)s and state = 'pending' and attempts = %(attempts)s
        """,
        {
            "id": delivery.id,
            "attempts": delivery.attempts,
            "state": attempt.state,
            "next_in_s": attempt.next_in_s,
            "status": attempt.status,
            "problem": attempt.problem,
        },
    )


async def note_health(database: Database, webhook_id: str, *, failing: bool) -> None:
    await database.statement(
        """
        update webhooks set failing_since = case when %(failing)s then now() end
        where id = %(id)s and (failing_since is not null) <> %(failing)s
        """,
        {"id": webhook_id, "failing": failing},
    )


async def release(database: Database, webhook_id: str, *, rest_s: float) -> None:
    """Nothing is sent to it for `rest_s` seconds."""
    await database.statement(
        "update webhooks set held_until = now() + make_interval(secs => %(rest_s)s) where id = %(id)s",
        {"id": webhook_id, "rest_s": rest_s},
    )


async def discard_old(database: Database, *, limit: int) -> int:
    """Some of the deliveries that have been kept long enough; gives their number."""
    rows = await database.statement(
        """
        delete from webhook_deliveries
        where id in (select id from webhook_deliveries where id < %(first_id)s order by id limit %(limit)s)
        returning 1
        """,
        {"first_id": first_id("whd", datetime.now(UTC) - KEPT), "limit": limit},
    )
    return len(rows)


async def discard_deleted(database: Database, *, limit: int, account_id: str | None = None) -> int:
    """Some of what deleted endpoints have left behind, of all accounts or of one; gives the number of rows."""
    rows = await database.statement(
        """
        with deleted as materialized (
            select id from webhooks
            where deleted_at is not null and account_id = coalesce(%(account_id)s::text, account_id)
        ), emptied as (
            delete from webhook_deliveries where id in (
                select d.id from deleted join webhook_deliveries d on d.webhook_id = deleted.id limit %(limit)s
            )
            returning 1
        ), gone as (
            delete from webhooks w using deleted
            where w.id = deleted.id and not exists (select from webhook_deliveries d where d.webhook_id = w.id)
            returning 1
        )
        select 1 from emptied union all select 1 from gone
        """,
        {"account_id": account_id, "limit": limit},
    )
    return len(rows)
