from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.sql.elements import ColumnElement

from nanobanana.domain.api_keys.types import ApiKey, Bearer, KeySettings, Mode, Month, Scope, Standing
from nanobanana.kit.addresses import IPAddress
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import accounts, api_keys

_COLUMNS = (
    api_keys.c.id,
    api_keys.c.account_id,
    api_keys.c.mode,
    api_keys.c.name,
    api_keys.c.last4,
    api_keys.c.previous_last4,
    api_keys.c.previous_expires_at,
    api_keys.c.expires_at,
    api_keys.c.monthly_image_cap,
    api_keys.c.images_per_hour,
    api_keys.c.scopes,
    api_keys.c.allowed_addresses.cast(ARRAY(TEXT)).label("allowed_addresses"),
    api_keys.c.disabled,
    api_keys.c.last_used_at,
    api_keys.c.revoked_at,
    api_keys.c.created_at,
)

_BEARER = """
    k.id as api_key_id, k.account_id, k.mode, k.images_per_hour as key_images_per_hour,
    p.images_per_hour as plan_images_per_hour, p.images_in_flight as plan_images_in_flight,
    p.images_per_month as month_limit, coalesce(m.images + m.held_images, 0) as month_images,
    p.retention_days * 86400::bigint as plan_retention_s,
    case when a.refused_on = (now() at time zone 'utc')::date then a.refusals else 0 end as refusals
    from api_keys k join accounts a on a.id = k.account_id join plans p on p.name = a.plan
    left join account_months m
         on m.account_id = a.id and m.month = date_trunc('month', now() at time zone 'utc')::date
"""


async def add(
    connection: AsyncConnection,
    *,
    id: str,
    account_id: str,
    mode: Mode,
    hash: bytes,
    last4: str,
    settings: KeySettings,
) -> ApiKey:
    values = {"id": id, "account_id": account_id, "mode": mode, "hash": hash, "last4": last4, **settings}
    statement = insert(api_keys).values(values).returning(*_COLUMNS)
    return ApiKey(**(await connection.execute(statement)).mappings().one())


async def lock_keys(connection: AsyncConnection, *, account_id: str) -> bool:
    """Until the transaction ends, nobody else adds a key to the account or disables all of them.
    False when the account is erased."""
    statement = select(accounts.c.id).where(accounts.c.id == account_id, accounts.c.erased_at.is_(None))
    # `key_share`: images go on being admitted meanwhile.
    locked = await connection.execute(statement.with_for_update(key_share=True))
    return locked.one_or_none() is not None


async def count_alive(connection: AsyncConnection, *, account_id: str) -> int:
    statement = select(func.count()).select_from(api_keys).where(*_alive(account_id))
    return (await connection.execute(statement)).scalar_one()


async def list_alive(connection: AsyncConnection, *, account_id: str) -> list[ApiKey]:
    statement = select(*_COLUMNS).where(*_alive(account_id)).order_by(api_keys.c.id.desc())
    return [ApiKey(**row) for row in (await connection.execute(statement)).mappings()]


async def list_ever(connection: AsyncConnection, *, account_id: str) -> list[ApiKey]:
    """Revoked ones too."""
    statement = select(*_COLUMNS).where(api_keys.c.account_id == account_id).order_by(api_keys.c.id.desc())
    return [ApiKey(**row) for row in (await connection.execute(statement)).mappings()]


async def names(database: Database, ids: Collection[str], *, account_id: str) -> dict[str, str]:
    """Revoked ones too."""
    rows = await database.statement(
        "select id, name from api_keys where id = any(%(ids)s) and account_id = %(account_id)s",
        {"ids": list(ids), "account_id": account_id},
    )
    return {row["id"]: row["name"] for row in rows}


async def get(connection: AsyncConnection, *, id: str, account_id: str) -> ApiKey | None:
    statement = select(*_COLUMNS).where(api_keys.c.id == id, *_alive(account_id))
    return _key((await connection.execute(statement)).mappings().one_or_none())


async def change(
    connection: AsyncConnection, *, id: str, account_id: str, settings: KeySettings
) -> ApiKey | None:
    statement = update(api_keys).where(api_keys.c.id == id, *_alive(account_id))
    statement = statement.values(**settings).returning(*_COLUMNS)
    return _key((await connection.execute(statement)).mappings().one_or_none())


async def rotate(
    connection: AsyncConnection,
    *,
    id: str,
    account_id: str,
    hash: bytes,
    last4: str,
    overlap: timedelta,
    present: str | None,
) -> ApiKey | None:
    """The right-hand sides are the row as the rotation before left it, however many come at once; with `present`, the
    last four characters that the one was asked to end, only one of them finds it."""
    statement = (
        update(api_keys)
        .where(api_keys.c.id == id, *_alive(account_id))
        .values(
            hash=hash,
            last4=last4,
            previous_hash=api_keys.c.hash,
            previous_last4=api_keys.c.last4,
            # Not now(): a rotation that waited for another one began long before its turn.
            previous_expires_at=func.clock_timestamp() + overlap,
        )
        .returning(*_COLUMNS)
    )
    if present is not None:
        statement = statement.where(api_keys.c.last4 == present)
    return _key((await connection.execute(statement)).mappings().one_or_none())


async def disable_all(connection: AsyncConnection, *, account_id: str) -> None:
    await connection.execute(update(api_keys).where(*_alive(account_id)).values(disabled=True))


async def revoke_all(connection: AsyncConnection, *, account_id: str) -> None:
    await connection.execute(update(api_keys).where(*_alive(account_id)).values(revoked_at=func.now()))


async def revoke(connection: AsyncConnection, *, id: str, account_id: str) -> bool:
    statement = update(api_keys).where(api_keys.c.id == id, *_alive(account_id)).values(revoked_at=func.now())
    return (await connection.execute(statement)).rowcount == 1


async def find_bearer(database: Database, *, hashes: Sequence[bytes]) -> Bearer | None:
    """Who the living key with one of these hashes belongs to, and how fast it may go."""
    rows = await database.statement(
        f"""
        select case when k.hash = any(%(hashes)s) then k.hash else k.previous_hash end as key_hash, {_BEARER}
        where key_lives(k, %(hashes)s)
        """,
        {"hashes": list(hashes)},
    )
    return Bearer(**rows[0]) if rows else None


async def bearer_of(database: Database, id: str, *, account_id: str) -> Bearer | None:
    """As `find_bearer`, for the owner of the account."""
    rows = await database.statement(
        f"""
        select k.hash as key_hash, {_BEARER}
        where k.id = %(id)s and k.account_id = %(account_id)s and key_lives(k, array[k.hash])
        """,
        {"id": id, "account_id": account_id},
    )
    return Bearer(**rows[0]) if rows else None


async def standing(
    database: Database, bearer: Bearer, *, scope: Scope, client_address: IPAddress
) -> Standing | None:
    """None when the key does not live."""
    rows = await database.statement(
        """
        select a.suspended_at is not null as suspended, %(scope)s = any(k.scopes) as has_scope,
               k.allowed_addresses is null or %(client_address)s::inet <<= any(k.allowed_addresses)
                   as from_allowed_address,
               coalesce(m.images + m.held_images, 0) as month_images, p.images_per_month as month_limit
        from api_keys k join accounts a on a.id = k.account_id join plans p on p.name = a.plan
        left join account_months m
             on m.account_id = a.id and m.month = date_trunc('month', now() at time zone 'utc')::date
        where k.id = %(api_key_id)s and key_lives(k, %(hashes)s)
        """,
        {
            "api_key_id": bearer.api_key_id,
            "hashes": [bearer.key_hash],
            "scope": scope,
            "client_address": client_address,
        },
    )
    if not rows:
        return None
    month = Month(images=rows[0].pop("month_images"), limit=rows[0].pop("month_limit"))
    return Standing(month=month, **rows[0])


async def record_uses(database: Database, seconds_ago: Mapping[str, float]) -> None:
    """When keys were last used, by their ids. A key is written once a minute at most, whoever used it."""
    await database.statement(
        """
        with used as (
            select k.id, now() - make_interval(secs => given.seconds_ago) as at
            from unnest(%(ids)s::text[], %(seconds_ago)s::float8[]) as given (id, seconds_ago)
            join api_keys k using (id)
            -- In one order and without waiting: another process may record the same keys now.
            order by k.id for no key update of k skip locked
        )
        update api_keys k set last_used_at = greatest(k.last_used_at, used.at) from used
        where k.id = used.id and (k.last_used_at is null or k.last_used_at < used.at - interval '1 minute')
        """,
        {"ids": list(seconds_ago), "seconds_ago": list(seconds_ago.values())},
    )


def _alive(account_id: str) -> tuple[ColumnElement[bool], ...]:
    """Not revoked: also keys that are disabled or have expired, which their owner can bring back."""
    return api_keys.c.account_id == account_id, api_keys.c.revoked_at.is_(None)


def _key(row: RowMapping | None) -> ApiKey | None:
    return ApiKey(**row) if row else None
