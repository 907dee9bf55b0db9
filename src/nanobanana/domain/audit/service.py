"""What was done to accounts, by whom and when."""

from nanobanana.domain.accounts.lookup import account_id_of
from nanobanana.domain.audit import repository
from nanobanana.domain.audit.types import Entry
from nanobanana.storage.database import Database

_SHOWN = 100


class AuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, *, email: str | None) -> list[Entry]:
        """The last hundred of an account, or of all, the newest last. Raises NoSuchAccountError."""
        async with self._database.begin() as connection:
            account_id = await account_id_of(connection, email) if email else None
            return await repository.newest(connection, account_id=account_id, limit=_SHOWN)
