"""Pictures that the store has not taken, in PostgreSQL until it does."""

from collections.abc import Sequence

from nanobanana.domain.images import waiting_repository as repository
from nanobanana.metrics import WAITING_BYTES
from nanobanana.storage.database import Database


class WaitingRoom:
    """Bounded in bytes: when it is full, no more orders are taken on. What has been ordered before is let in."""

    def __init__(self, database: Database, *, max_bytes: int) -> None:
        self._database = database
        self._max_bytes = max_bytes
        # Of all processes at the last look, and of this one since that began.
        self._seen_bytes = 0
        self._added_bytes = 0

    @property
    def is_full(self) -> bool:
        return self._seen_bytes + self._added_bytes >= self._max_bytes

    async def look(self) -> None:
        added_before = self._added_bytes
        self._seen_bytes = await repository.total_bytes(self._database)
        self._added_bytes -= added_before
        WAITING_BYTES.set(self._seen_bytes)

    async def put(self, name: str, data: bytes) -> None:
        await repository.put(self._database, name, data)
        self._added_bytes += len(data)

    async def get(self, name: str) -> bytes | None:
        return await repository.get(self._database, name)

    async def delete(self, names: Sequence[str]) -> None:
        """The bytes are gone once this returns; the mover then looks after what it may have brought to the store."""
        await repository.empty(self._database, names)

    async def names(self, beginning: str) -> list[str]:
        return await repository.names(self._database, beginning)
