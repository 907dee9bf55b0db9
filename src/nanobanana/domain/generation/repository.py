"""The rows of `generations` and what is held for them. The way of an image takes one round trip a step."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
from sqlalchemy import Select, case, func, select

from nanobanana.domain.api_keys.types import Bearer, Month
from nanobanana.domain.generation import rules
from nanobanana.domain.generation.types import (
    Admission,
    Filters,
    Generation,
    Idempotency,
    Made,
    NotMade,
    Order,
    Pace,
    Refusal,
    Room,
    Token,
    Work,
)
from nanobanana.kit.addresses import IPAddress
from nanobanana.kit.ids import first_id
from nanobanana.storage.database import Database
from nanobanana.storage.tables import generations

# How long a process may be silent before another takes its work over; renewed well before. admit_generation gives the
# first.
_LEASE = "interval '20 seconds'"

# An hour less than idempotency keys are kept: ids are made by the clocks of processes, ages go by PostgreSQL's.
_KEPT_AT_LEAST = timedelta(hours=23)

COLUMNS = (
    "id, api_key_id, mode, prompt, size, style, format, state, attempt, created_at, finished_at, "
    "image_name, image_state, image_format, image_place, retention_s, expires_at, model, price_micro_usd, lost_attempts, error_code, error_message"
)
_ALL = Filters()
# A picture past its end is gone, whether its row says so yet or not.
_image_state_now = case(
    ((generations.c.image_state == "kept") & (generations.c.expires_at <= func.now()), "expired"),
    else_=generations.c.image_state,
)
_ROOM_COLUMNS = ", ".join(field.name for field in fields(Room))

# Both are functions in storage/functions/: many small statements, one round trip, one transaction.
_ADMIT = f"""
    select {", ".join(f"(a.generation).{column}" for column in COLUMNS.split(", "))},
           a.replayed, a.refusal, a.month_images, a.month_limit
    from admit_generation(%(id)s, %(image_name)s, %(api_key_id)s, %(key_hash)s, %(client_address)s,
                          %(prompt)s, %(size)s, %(style)s, %(format)s,
                          %(idempotency_key)s, %(fingerprint)s, %(free_images_per_day)s, %(queue_max_length)s,
                          %(retention_s)s) a
"""
_SETTLE = f"""
    select {COLUMNS}
    from settle_generation(%(id)s, %(attempt)s, %(state)s, %(image_format)s, %(image_bytes)s, %(image_place)s,
                           %(model)s, %(input_tokens)s, %(output_tokens)s, %(cost_micro_usd)s, %(lost_attempts)s,
                           %(error_code)s, %(error_message)s, %(retryable)s, %(refusals_per_day)s)
"""
_NOTHING_MADE: Mapping[str, Any] = {
    **dict.fromkeys(field.name for field in (*fields(Made), *fields(NotMade))),
    "state": "succeeded",
    "retryable": False,
}
# With what its order took of the speed limits.
WORK = f"""
    {COLUMNS}, account_id,
    (select i.key from idempotency_keys i where i.generation_id = generations.id) as idempotency_key
"""
# Whoever works on it next is another attempt, and has a name of its own for the picture: nobody overwrites what another
# attempt stored, and who lost the row may delete its own.
NEXT_ATTEMPT = f"""
    attempt = attempt + 1, lease_until = now() + {_LEASE},
    image_name = split_part(image_name, '-', 1) || case attempt when 0 then '' else '-' || attempt + 1 end
"""
# As admit_generation raises it.
_NO_ROOM, _OVERLOADED, _ERASED = "NB402", "NB503", "NB401"


async def admit(
    database: Database,
    *,
    id: str,
    image_name: str,
    bearer: Bearer,
    client_address: IPAddress,
    order: Order,
    idempotency: Idempotency | None,
    free_images_per_day: int | None,
    queue_max_length: int | None,
) -> Admission | None:
    """One order's admission, or None when the key may not do this at this moment. With `queue_max_length` it is to
    wait, unless so many wait already; when that is less than none, nothing is taken on."""
    try:
        rows = await database.statement(
            _ADMIT,
            {
                "id": id,
                "image_name": image_name,
                "api_key_id": bearer.api_key_id,
                "key_hash": bearer.key_hash,
                "client_address": client_address,
                "idempotency_key": idempotency and idempotency.key,
                "fingerprint": idempotency and idempotency.fingerprint,
                "free_images_per_day": free_images_per_day,
                "queue_max_length": queue_max_length,
                "prompt": order.prompt,
                "size": order.size,
                "style": order.style,
                "format": order.format,
                "retention_s": order.retention_s,
            },
        )
    except psycopg.Error as error:
        if error.sqlstate == _ERASED:
            return None
        if error.sqlstate not in {_NO_ROOM, _OVERLOADED}:
            raise
        return Admission(refusal=cast("Refusal", error.diag.message_primary))
    return _admission(rows[0]) if rows else None


async def room(database: Database, *, api_key_id: str, free_images_per_day: int | None) -> Room:
    """What limits one more image of the key at this moment."""
    rows = await database.statement(
        f"select {_ROOM_COLUMNS} from image_room(%(api_key_id)s, %(free_images_per_day)s)",
        {"api_key_id": api_key_id, "free_images_per_day": free_images_per_day},
    )
    return Room(**rows[0])


async def pace(database: Database, *, account_id: str) -> Pace:
    rows = await database.statement(
        """
        select p.images_per_hour as plan_images_per_hour,
               case when a.refused_on = (now() at time zone 'utc')::date then a.refusals else 0 end as refusals
        from accounts a join plans p on p.name = a.plan where a.id = %(account_id)s
        """,
        {"account_id": account_id},
    )
    return Pace(**rows[0])


async def settle(
    database: Database, generation: Generation, outcome: Made | NotMade, *, refusals_per_day: int
) -> Generation | None:
    """The row in its final state, and its hold captured or released; None when this attempt no longer holds it, and
    nothing was changed. The account is suspended when this is as many refusals in a day."""
    rows = await database.statement(
        _SETTLE,
        {
            "id": generation.id,
            "attempt": generation.attempt,
            "refusals_per_day": refusals_per_day,
            **_NOTHING_MADE,
            **_values(outcome),
        },
    )
    return Generation(**rows[0]) if rows else None


async def note_lost_attempt(database: Database, generation: Generation) -> bool:
    """Before Google is asked again: whoever takes the row over would not know of it. False when somebody has."""
    rows = await database.statement(
        """
        update generations set lost_attempts = lost_attempts + 1
        where id = %(id)s and attempt = %(attempt)s and state = 'running'
        returning id
        """,
        {"id": generation.id, "attempt": generation.attempt},
    )
    return bool(rows)


async def renew_leases(database: Database, attempts: Mapping[str, int]) -> set[str]:
    """Of the rows named with the attempt that works on them, those that are still held."""
    rows = await database.statement(
        f"""
        update generations g set lease_until = now() + {_LEASE}
        from unnest(%(ids)s::text[], %(attempts)s::int[]) as held (id, attempt)
        where g.id = held.id and g.attempt = held.attempt and g.state = 'running'
        returning g.id
        """,
        _held(attempts),
    )
    return {row["id"] for row in rows}


async def hand_over(database: Database, attempts: Mapping[str, int]) -> None:
    """Lets others go on with the rows at once: what waits for nobody but Google waits in the queue, and images of test
    keys, which never do, under a lease that has run out."""
    await database.statement(
        """
        update generations g
        set state = case mode when 'live' then 'queued' else state end,
            lease_until = case mode when 'test' then now() end,
            lost_attempts = lost_attempts + case mode when 'live' then 1 else 0 end
        from unnest(%(ids)s::text[], %(attempts)s::int[]) as held (id, attempt)
        where g.id = held.id and g.attempt = held.attempt and g.state = 'running'
        """,
        _held(attempts),
    )


async def take_over(database: Database, *, limit: int, own: Collection[str]) -> list[Work]:
    """Rows whose lease has run out, now held by the caller as their next attempt, oldest first. Those it works on
    itself, as `own`, are its own to renew."""
    rows = await database.statement(
        f"""
        update generations set lost_attempts = lost_attempts + 1, {NEXT_ATTEMPT}
        where id in (
            select id from generations
            where state = 'running' and lease_until < now() and id <> all(%(own)s)
            order by lease_until limit %(limit)s for update skip locked
        )
        returning {WORK}
        """,
        {"limit": limit, "own": list(own)},
    )
    return [as_work(row) for row in rows]


async def find(database: Database, id: str, *, account_id: str) -> Work | None:
    rows = await database.statement(
        f"select {WORK} from generations where id = %(id)s and account_id = %(account_id)s",
        {"id": id, "account_id": account_id},
    )
    return as_work(rows[0]) if rows else None


async def discard_idempotency_keys(database: Database, *, limit: int) -> int:
    """Deletes some of those whose 24 hours are over; gives their number. A key is as old as its generation, and the
    index on that finds the old ones. One that is being used anew at this moment is left alone."""
    rows = await database.statement(
        """
        delete from idempotency_keys where (account_id, mode, key) in (
            select account_id, mode, key from idempotency_keys
            where generation_id < %(first_id)s and created_at <= now() - interval '24 hours'
            order by generation_id limit %(limit)s for update skip locked
        )
        returning 1
        """,
        {"first_id": first_id("gen", datetime.now(UTC) - _KEPT_AT_LEAST), "limit": limit},
    )
    return len(rows)


async def page(
    database: Database,
    *,
    account_id: str,
    before: str | None,
    limit: int,
    filters: Filters = _ALL,
    back_to: str | None = None,
) -> Sequence[Generation]:
    """Newest first, older than the id `before`, and back to the one `back_to`."""
    columns = [generations.c[name] for name in COLUMNS.split(", ")]
    statement = _listed(select(*columns), account_id=account_id, before=before, filters=filters)
    if back_to:
        statement = statement.where(generations.c.id >= back_to)
    if filters.api_key_id:
        statement = statement.where(generations.c.api_key_id == filters.api_key_id)
    if filters.state:
        statement = statement.where(generations.c.state == filters.state)
    if filters.size:
        statement = statement.where(generations.c.size == filters.size)
    if filters.image_state:
        statement = statement.where(_image_state_now == filters.image_state)
    async with database.begin() as connection:
        rows = await connection.execute(statement.limit(limit))
        return [Generation(**row) for row in rows.mappings()]


async def id_further_back(
    database: Database, *, account_id: str, before: str | None, filters: Filters, rows: int
) -> str | None:
    """The last of so many rows that a page with these filters is looked for in; None when there are fewer. Read from
    the index alone, as far as it is vacuumed."""
    statement = _listed(select(generations.c.id), account_id=account_id, before=before, filters=filters)
    async with database.begin() as connection:
        found: str | None = await connection.scalar(statement.offset(rows - 1).limit(1))
        return found


def _listed(statement: Select[Any], *, account_id: str, before: str | None, filters: Filters) -> Select[Any]:
    """The part of the index that the page is in."""
    statement = statement.where(generations.c.account_id == account_id).order_by(generations.c.id.desc())
    if before:
        statement = statement.where(generations.c.id < before)
    if filters.created_after:
        statement = statement.where(generations.c.id >= first_id("gen", filters.created_after))
    if filters.created_before:
        statement = statement.where(generations.c.id < first_id("gen", filters.created_before))
    return statement


async def ended(database: Database, ids: Collection[str]) -> list[Generation]:
    """Those of the rows that have reached their final state."""
    rows = await database.statement(
        f"select {COLUMNS} from generations where id = any(%(ids)s) and state not in ('queued', 'running')",
        {"ids": list(ids)},
    )
    return [Generation(**row) for row in rows]


def _admission(row: dict[str, Any]) -> Admission:
    replayed, refusal, images, limit = (
        row.pop(name) for name in ("replayed", "refusal", "month_images", "month_limit")
    )
    return Admission(
        generation=None if refusal else Generation(**row),
        replayed=replayed,
        refusal=refusal,
        month=Month(images=images, limit=limit),
    )


def _values(outcome: Made | NotMade) -> dict[str, Any]:
    """By hand: `asdict` copies whatever it finds, at 15 us."""
    return {field: getattr(outcome, field) for field in outcome.__slots__}


def as_work(row: dict[str, Any]) -> Work:
    account_id, idempotency_key = (row.pop(name) for name in ("account_id", "idempotency_key"))
    generation = Generation(**row)
    token_id = rules.token_id(
        account_id=account_id,
        mode=generation.mode,
        idempotency_key=idempotency_key,
        generation_id=generation.id,
    )
    token = Token(id=token_id, account_id=account_id, api_key_id=generation.api_key_id, mode=generation.mode)
    return Work(generation=generation, token=token)


def _held(attempts: Mapping[str, int]) -> dict[str, Any]:
    return {"ids": list(attempts), "attempts": list(attempts.values())}
