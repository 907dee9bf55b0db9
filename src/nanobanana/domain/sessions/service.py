"""Sessions of people who logged in: 30 days at most, 14 without use."""

from datetime import timedelta

from nanobanana.domain.sessions import repository
from nanobanana.domain.sessions.errors import InvalidSessionError
from nanobanana.domain.sessions.types import NewSession, Session
from nanobanana.errors import NotFoundError
from nanobanana.kit.ids import new_id
from nanobanana.kit.tokens import hash_token, new_token
from nanobanana.storage.database import AsyncConnection, Database

SESSION_PREFIX = "nb_session_"
LIFETIME = timedelta(days=30)
_USER_AGENT_LENGTH = 120


class Sessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(
        self, connection: AsyncConnection, *, account_id: str, user_agent: str | None
    ) -> NewSession:
        token = SESSION_PREFIX + new_token()
        expires_at = await repository.add(
            connection,
            id=new_id("ses"),
            account_id=account_id,
            token_hash=hash_token(token),
            lifetime=LIFETIME,
            user_agent=user_agent[:_USER_AGENT_LENGTH] if user_agent else None,
        )
        return NewSession(token=token, expires_at=expires_at)

    async def use(self, token: str) -> Session:
        async with self._database.begin() as connection:
            session = await repository.use(connection, token_hash=hash_token(token))
        if session is None:
            raise InvalidSessionError
        return session

    async def list_alive(self, *, account_id: str) -> list[Session]:
        async with self._database.begin() as connection:
            return await repository.list_alive(connection, account_id=account_id)

    async def end(self, id: str, *, account_id: str) -> None:
        async with self._database.begin() as connection:
            if not await repository.end(connection, id=id, account_id=account_id):
                raise NotFoundError("There is no such session.")

    async def end_by_token(self, token: str) -> None:
        async with self._database.begin() as connection:
            await repository.end_by_token(connection, token_hash=hash_token(token))

    async def end_all(self, connection: AsyncConnection, *, account_id: str, but: str | None = None) -> None:
        await repository.end_all(connection, account_id=account_id, but=but)

    async def discard_expired(self) -> None:
        async with self._database.begin() as connection:
            await repository.discard_expired(connection)
