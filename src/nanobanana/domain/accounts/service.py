"""People: registration, login, sessions."""

import hashlib
import secrets
from datetime import timedelta

from nanobanana.domain.accounts import repository
from nanobanana.domain.accounts.errors import EmailTakenError, InvalidSessionError, WrongPasswordError
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.types import Account, NewSession, Registration
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import Database

SESSION_PREFIX = "nb_session_"
_SESSION_LIFETIME = timedelta(days=30)


class Accounts:
    def __init__(self, database: Database, *, api_keys: ApiKeys) -> None:
        self._database = database
        self._api_keys = api_keys
        self._passwords = Passwords()

    async def register(self, *, email: str, password: str, plan: str = "free") -> Registration:
        """A new account with a live and a test key, all or nothing."""
        password_hash = await self._passwords.hash(password)
        async with self._database.begin() as connection:
            account = await repository.add(
                connection, id=new_id("usr"), email=email, password_hash=password_hash, plan=plan
            )
            if account is None:
                raise EmailTakenError
            return Registration(
                account=account,
                live_key=await self._api_keys.issue(
                    connection, account_id=account.id, mode="live", settings={"name": "First key"}
                ),
                test_key=await self._api_keys.issue(
                    connection, account_id=account.id, mode="test", settings={"name": "First test key"}
                ),
            )

    async def log_in(self, *, email: str, password: str) -> NewSession:
        async with self._database.begin() as connection:
            login = await repository.find_login(connection, email=email)
        account_id, password_hash = login or (None, None)
        if not await self._passwords.is_right(password, password_hash=password_hash) or account_id is None:
            raise WrongPasswordError
        token = SESSION_PREFIX + secrets.token_urlsafe(32)
        async with self._database.begin() as connection:
            expires_at = await repository.add_session(
                connection,
                id=new_id("ses"),
                account_id=account_id,
                token_hash=_hash(token),
                lifetime=_SESSION_LIFETIME,
            )
        return NewSession(token=token, expires_at=expires_at)

    async def by_session(self, token: str) -> Account:
        async with self._database.begin() as connection:
            account = await repository.find_by_session(connection, token_hash=_hash(token))
        if account is None:
            raise InvalidSessionError
        return account

    async def log_out(self, token: str) -> None:
        async with self._database.begin() as connection:
            await repository.end_session(connection, token_hash=_hash(token))


def _hash(token: str) -> bytes:
    # 256 random bits need no slow hash and no key.
    return hashlib.sha256(token.encode()).digest()
