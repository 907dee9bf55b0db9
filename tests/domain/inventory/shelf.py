"""Rows and files as a service leaves them behind, put there without one."""

import itertools
import time
from collections.abc import Iterable
from typing import Any

import psycopg

from nanobanana.domain.images.names import new_name
from nanobanana.domain.inventory.types import ListedStore
from nanobanana.kit.ids import first_id_of

DAY_MS = 86_400_000
PICTURE = b"picture"

_ACCOUNT, _KEY = "acc_0000000000000000000000", "key_0000000000000000000000"


class Shelf:
    def __init__(self, database_url: str) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._connection.execute(
            "insert into accounts (id, email, email_folded, password_hash, plan) values (%s, 'a', 'a', 'none', 'free')",
            [_ACCOUNT],
        )
        self._connection.execute(
            "insert into api_keys (id, account_id, mode, name, hash, last4) values (%s, %s, 'live', 'k', '\\x00', 'xxxx')",
            [_KEY, _ACCOUNT],
        )
        self._numbers = itertools.count()

    def close(self) -> None:
        self._connection.close()

    def new_id(self, *, days_ago: float, moment: int | None = None) -> str:
        """One of its own in a millisecond of its own, unless `moment` says which."""
        number = next(self._numbers)
        milliseconds = moment or int(time.time() * 1000 - days_ago * DAY_MS) - 100_000 + number
        return f"{first_id_of('gen', milliseconds)[:-4]}{number:04}"

    def row(
        self,
        id: str,
        *,
        attempt: int = 1,
        state: str = "succeeded",
        place: str | None = "store",
        expires_in: str | None = None,
        format: str | None = "png",
        size: int = len(PICTURE),
        image_name: str | None = None,
    ) -> str:
        """Gives the name of its first attempt."""
        first = image_name or new_name(id)
        succeeded = state == "succeeded"
        values: dict[str, Any] = {
            "id": id,
            "account_id": _ACCOUNT,
            "api_key_id": _KEY,
            "mode": "live",
            "prompt": "a banana",
            "size": "1024x1024",
            "style": "natural",
            "state": state,
            "attempt": attempt,
            "image_name": first if attempt == 1 else f"{first}-{attempt}",
            "image_state": ("kept" if place else "deleted") if succeeded else None,
            "image_place": place if succeeded else None,
            "image_format": format if succeeded else None,
            "image_bytes": size if succeeded else None,
        }
        columns = ", ".join(values)
        self._connection.execute(
            f"""
            insert into generations ({columns}, lease_until, finished_at, expires_at)
            values ({", ".join(f"%({name})s" for name in values)},
                    case when %(state)s = 'running' then now() + interval '1 hour' end,
                    case when %(state)s not in ('running', 'queued') then now() end,
                    now() + %(expires_in)s::interval)
            """.encode(),
            {**values, "expires_in": expires_in},
        )
        return first

    def waiting(self, name: str, data: bytes = PICTURE) -> None:
        self._connection.execute("insert into image_bytes (name, data) values (%s, %s)", [name, data])

    def change(self, statement: str) -> None:
        self._connection.execute(statement.encode())


async def put_all(store: ListedStore, names: Iterable[str], data: bytes = PICTURE) -> None:
    for name in names:
        await store.put(name, data, keep_s=None)


async def all_files(store: ListedStore) -> set[str]:
    return {name for day in await store.days() async for name, _size in store.listed(day)}
