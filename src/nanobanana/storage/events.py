"""What webhooks tell an account's endpoints, written in the transaction of its cause."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import text

from nanobanana.storage.database import AsyncConnection

_ANNOUNCE = text("select announce(:account_id, :type, cast(:subject as jsonb))")


async def announce(
    connection: AsyncConnection, type: str, *, account_id: str, subject: Mapping[str, Any]
) -> None:
    """Told if the caller's transaction commits. `subject` stands in the clear: never a secret."""
    await connection.execute(
        _ANNOUNCE, {"account_id": account_id, "type": type, "subject": orjson.dumps(subject).decode()}
    )
