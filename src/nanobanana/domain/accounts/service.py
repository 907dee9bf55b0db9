"""Accounts: how they come to be, who may log in to one, whom a session belongs to."""

from nanobanana.domain.accounts import repository
from nanobanana.domain.accounts.ceilings import FreeAccountCeilings
from nanobanana.domain.accounts.errors import EmailTakenError, ThrowawayAddressError, WrongLoginError
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.rules import is_throwaway
from nanobanana.domain.accounts.types import Account, Login, NewAccount
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.sessions.errors import InvalidSessionError
from nanobanana.domain.sessions.service import Sessions
from nanobanana.domain.sessions.types import NewSession, Session
from nanobanana.kit.addresses import IPAddress
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import AsyncConnection, Database


class Accounts:
    def __init__(
        self,
        database: Database,
        *,
        api_keys: ApiKeys,
        sessions: Sessions,
        passwords: Passwords,
        ceilings: FreeAccountCeilings,
    ) -> None:
        self._database = database
        self._api_keys = api_keys
        self._sessions = sessions
        self._passwords = passwords
        self._ceilings = ceilings

    async def register(self, *, email: str, password: str, address: IPAddress) -> NewAccount:
        """A new free account at once, its address of mail unverified."""
        if is_throwaway(email):
            raise ThrowawayAddressError
        password_hash = await self._passwords.hash_new(password, email=email)
        async with self._database.begin() as connection:
            return await self.create_free(
                connection, email=email, password_hash=password_hash, verified=False, address=address
            )

    async def create_free(
        self,
        connection: AsyncConnection,
        *,
        email: str,
        password_hash: str,
        verified: bool,
        address: IPAddress,
    ) -> NewAccount:
        """A new account that counts for its mailbox and for the subnet of `address`, all or nothing.

        Raises EmailTakenError, TooManyAccountsError.
        """
        new = await self._create(
            connection, email=email, password_hash=password_hash, plan="free", verified=verified
        )
        # Last, because the others of the subnet wait from here to the commit.
        await self._ceilings.count(connection, email=email, address=address)
        return new

    async def register_developer(self, *, email: str, password: str, plan: str) -> NewAccount:
        """The account of a development machine, which counts for nobody."""
        password_hash = await self._passwords.hash_new(password, email=email)
        async with self._database.begin() as connection:
            return await self._create(
                connection, email=email, password_hash=password_hash, plan=plan, verified=False
            )

    async def _create(
        self, connection: AsyncConnection, *, email: str, password_hash: str, plan: str, verified: bool
    ) -> NewAccount:
        """A new account with a live and a test key. Raises EmailTakenError."""
        account = await repository.add(
            connection,
            id=new_id("usr"),
            email=email,
            password_hash=password_hash,
            plan=plan,
            verified=verified,
        )
        if account is None:
            raise EmailTakenError
        return NewAccount(
            account=account,
            live_key=await self._api_keys.issue(
                connection, account_id=account.id, mode="live", settings={"name": "First key"}
            ),
            test_key=await self._api_keys.issue(
                connection, account_id=account.id, mode="test", settings={"name": "First test key"}
            ),
        )

    async def log_in(self, *, email: str, password: str, user_agent: str | None) -> NewSession:
        async with self._database.begin() as connection:
            login = await repository.find_login(connection, email=email)
        password_hash = login.password_hash if login else None
        if not await self._passwords.is_right(password, password_hash=password_hash) or login is None:
            raise WrongLoginError
        await self._renew_hash(login, password)
        async with self._database.begin() as connection:
            if not await repository.hold(connection, id=login.account_id):
                raise WrongLoginError
            return await self._sessions.start(connection, account_id=login.account_id, user_agent=user_agent)

    async def by_session(self, token: str) -> Account:
        return await self.of_session(await self._sessions.use(token))

    async def of_session(self, session: Session) -> Account:
        async with self._database.begin() as connection:
            account = await repository.find(connection, id=session.account_id)
        if account is None:
            raise InvalidSessionError
        return account

    async def discard_ended_counts(self) -> None:
        async with self._database.begin() as connection:
            await repository.discard_ended_counts(connection)

    async def _renew_hash(self, login: Login, password: str) -> None:
        """The one moment at which the password is known, and can be hashed at today's cost."""
        if not self._passwords.is_outdated(login.password_hash):
            return
        new = await self._passwords.hash(password)
        async with self._database.begin() as connection:
            await repository.replace_password_hash(
                connection, account_id=login.account_id, old=login.password_hash, new=new
            )
