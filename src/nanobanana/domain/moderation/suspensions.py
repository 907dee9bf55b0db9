"""What an operator does about accounts that cost us more than images."""

from nanobanana.domain.accounts.lookup import account_id_of
from nanobanana.domain.audit import repository as audit_repository
from nanobanana.domain.moderation import repository
from nanobanana.domain.moderation.errors import AlreadySuspendedError, NotSuspendedError
from nanobanana.storage.database import Database


class Suspensions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspend(self, *, email: str, reason: str | None = None) -> None:
        """Its keys are refused from this moment on, and its owner gets a mail with the reason. Raises
        NoSuchAccountError and AlreadySuspendedError."""
        async with self._database.begin() as connection:
            account_id = await account_id_of(connection, email)
            if not await repository.suspend(connection, account_id=account_id, reason=reason):
                raise AlreadySuspendedError(email)

    async def unsuspend(self, *, email: str) -> None:
        """Its keys work again, and its refusals of the day are forgotten. Raises NoSuchAccountError and
        NotSuspendedError."""
        async with self._database.begin() as connection:
            account_id = await account_id_of(connection, email)
            if not await repository.unsuspend(connection, account_id=account_id):
                raise NotSuspendedError(email)
            await audit_repository.record(connection, "unsuspend", account_id=account_id, detail={})
