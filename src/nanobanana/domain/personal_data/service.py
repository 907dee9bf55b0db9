"""What we hold of a person: shown to them, and erased when they want to go."""

from collections.abc import AsyncIterator, Sequence

from nanobanana.domain.api_keys import repository as api_keys_repository
from nanobanana.domain.credentials import repository as credentials_repository
from nanobanana.domain.credentials.service import CredentialChanges
from nanobanana.domain.generation import repository as generation_repository
from nanobanana.domain.generation.types import Generation
from nanobanana.domain.personal_data import repository
from nanobanana.domain.personal_data.types import Export
from nanobanana.domain.registration import repository as registration_repository
from nanobanana.domain.sessions import repository as sessions_repository
from nanobanana.domain.sessions.errors import InvalidSessionError
from nanobanana.domain.sessions.types import Session
from nanobanana.domain.webhooks import repository as webhooks_repository
from nanobanana.storage.database import Database
from nanobanana.storage.queue import defer

_PAGE = 100


class PersonalData:
    def __init__(self, database: Database, *, credentials: CredentialChanges) -> None:
        self._database = database
        self._credentials = credentials

    async def erase(self, session: Session, *, current_password: str) -> None:
        """Whatever opens the account ends now, and its address is free. The eraser does the rest, which takes long."""
        current = await self._credentials.confirm(session, current_password=current_password)
        account_id = session.account_id
        async with self._database.begin() as connection:
            email = await repository.part_from_owner(
                connection, account_id=account_id, password_hash=current.password_hash
            )
            if email is None:
                raise InvalidSessionError  # erased by another request, or the password was changed meanwhile
            await sessions_repository.end_all(connection, account_id=account_id, but=None)
            await api_keys_repository.revoke_all(connection, account_id=account_id)
            await webhooks_repository.delete_all(connection, account_id=account_id)
            await credentials_repository.end_tokens(connection, account_id=account_id)
            await registration_repository.discard(connection, email=email)
            await defer(connection, "send_account_erased", email=email)

    async def export(self, session: Session) -> Export:
        async with self._database.begin() as connection:
            account_id = session.account_id
            owner = await repository.find_owner(connection, account_id=account_id)
            if owner is None:
                raise InvalidSessionError
            return Export(
                account=owner,
                pending_address=await repository.find_pending_address(connection, account_id=account_id),
                sessions=await sessions_repository.list_alive(connection, account_id=account_id),
                api_keys=await api_keys_repository.list_ever(connection, account_id=account_id),
                webhooks=await webhooks_repository.list_of(connection, account_id=account_id),
                generations=self._generations(account_id),
            )

    async def _generations(self, account_id: str) -> AsyncIterator[Sequence[Generation]]:
        """Newest first. No transaction is open while a page is on its way to a slow reader."""
        before = None
        while page := await generation_repository.page(
            self._database, account_id=account_id, before=before, limit=_PAGE
        ):
            yield page
            before = page[-1].id
