"""The rows of `generations`. The statements of an image's way are written by hand: one round trip each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from nanobanana.domain.api_keys.repository import FROM_ALLOWED_ADDRESS, HAS_SCOPE, LIVES
from nanobanana.domain.api_keys.types import Bearer
from nanobanana.domain.generation.types import Generation, Made, NotMade, Order
from nanobanana.kit.addresses import IPAddress
from nanobanana.storage.database import Database
from nanobanana.storage.tables import generations

# How long a process may be silent before another takes its work over; renewed well before.
_LEASE = "interval '30 seconds'"

_COLUMNS = (
    "id, mode, prompt, size, style, format, state, attempt, created_at, finished_at, "
    "image_name, image_state, image_format, model, error_code, error_message"
)


async def admit(
    database: Database, *, id: str, image_name: str, bearer: Bearer, client_address: IPAddress, order: Order
) -> Generation | None:
    """The new row, already running under a lease; None when the key may not do this at this moment."""
    rows = await database.statement(
        f"""
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, format,
                                 image_name, state, attempt, lease_until)
        select %(id)s, k.account_id, k.id, k.mode, %(prompt)s, %(size)s, %(style)s, %(format)s,
               %(image_name)s, 'running', 1, now() + {_LEASE}
        from api_keys k join accounts a on a.id = k.account_id
        where k.id = %(api_key_id)s and {LIVES} and {HAS_SCOPE} and {FROM_ALLOWED_ADDRESS}
              and a.suspended_at is null and a.erased_at is null
        -- Waits for an erasure and then sees it. The foreign key takes the same lock a moment later anyway.
        for key share of a
        returning {_COLUMNS}
        """,
        {
            "id": id,
            "image_name": image_name,
            "api_key_id": bearer.api_key_id,
            "hashes": [bearer.key_hash],
            "scope": "generate",
            "client_address": client_address,
            **asdict(order),
        },
    )
    return Generation(**rows[0]) if rows else None


async def settle(database: Database, generation: Generation, outcome: Made | NotMade) -> Generation | None:
    """The row in its final state; None when this attempt no longer holds it, and nothing was changed."""
    values = {
        "state": "succeeded",
        "image_state": "kept" if isinstance(outcome, Made) else None,
        "image_format": None,
        "image_bytes": None,
        "model": None,
        "input_tokens": None,
        "output_tokens": None,
        "error_code": None,
        "error_message": None,
        **asdict(outcome),
    }
    rows = await database.statement(
        f"""
        update generations
        set state = %(state)s, lease_until = null, finished_at = now(),
            image_state = %(image_state)s, image_format = %(image_format)s, image_bytes = %(image_bytes)s,
            model = %(model)s, input_tokens = %(input_tokens)s, output_tokens = %(output_tokens)s,
            error_code = %(error_code)s, error_message = %(error_message)s
        where id = %(id)s and attempt = %(attempt)s and state = 'running'
        returning {_COLUMNS}
        """,
        {"id": generation.id, "attempt": generation.attempt, **values},
    )
    return Generation(**rows[0]) if rows else None


async def is_erased(database: Database, generation: Generation) -> bool:
    """Whether it belongs to nobody any more."""
    rows = await database.statement(
        """
        select a.erased_at is not null as erased
        from generations g join accounts a on a.id = g.account_id where g.id = %(id)s
        """,
        {"id": generation.id},
    )
    return bool(rows[0]["erased"])


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


async def end_leases(database: Database, attempts: Mapping[str, int]) -> None:
    """Lets others take the rows over at once."""
    await database.statement(
        """
        update generations g set lease_until = now()
        from unnest(%(ids)s::text[], %(attempts)s::int[]) as held (id, attempt)
        where g.id = held.id and g.attempt = held.attempt and g.state = 'running'
        """,
        _held(attempts),
    )


async def take_over(database: Database, *, limit: int) -> list[Generation]:
    """Rows whose lease has run out, now held by the caller as their next attempt, oldest first."""
    rows = await database.statement(
        f"""
        update generations set attempt = attempt + 1, lease_until = now() + {_LEASE}
        where id in (
            select id from generations where state = 'running' and lease_until < now()
            order by lease_until limit %(limit)s for update skip locked
        )
        returning {_COLUMNS}
        """,
        {"limit": limit},
    )
    return [Generation(**row) for row in rows]


async def get(database: Database, id: str, *, account_id: str) -> Generation | None:
    rows = await database.statement(
        f"select {_COLUMNS} from generations where id = %(id)s and account_id = %(account_id)s",
        {"id": id, "account_id": account_id},
    )
    return Generation(**rows[0]) if rows else None


async def page(
    database: Database, *, account_id: str, before: str | None, limit: int
) -> Sequence[Generation]:
    """Newest first, older than the id `before`."""
    columns = [generations.c[name] for name in _COLUMNS.split(", ")]
    statement = select(*columns).where(generations.c.account_id == account_id)
    if before:
        statement = statement.where(generations.c.id < before)
    async with database.begin() as connection:
        rows = await connection.execute(statement.order_by(generations.c.id.desc()).limit(limit))
        return [Generation(**row) for row in rows.mappings()]


def _held(attempts: Mapping[str, int]) -> dict[str, Any]:
    return {"ids": list(attempts), "attempts": list(attempts.values())}
