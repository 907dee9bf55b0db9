"""Registration: an account, its keys and a session, with mail set up for whoever can read mail at the address.

Then whether the address has an account already is looked up by the job that writes the mail, never on the way of the
request: the answer cannot tell known from unknown addresses, nor can the time it takes.
"""

import hmac
from collections.abc import Sequence

from nanobanana.domain.accounts import repository as accounts_repository
from nanobanana.domain.accounts.errors import EmailTakenError, InvalidTokenError, ThrowawayAddressError
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.rules import is_throwaway
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.accounts.types import NewAccount
from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.registration import repository, rules
from nanobanana.domain.registration.errors import InvalidCodeError
from nanobanana.domain.registration.types import Registration, Verified
from nanobanana.domain.sessions.service import Sessions
from nanobanana.kit.addresses import IPAddress
from nanobanana.kit.ids import new_id
from nanobanana.kit.tokens import hash_token, new_token
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.queue import defer


class Registrations:
    def __init__(
        self,
        database: Database,
        *,
        accounts: Accounts,
        sessions: Sessions,
        passwords: Passwords,
        notifications: Notifications,
        secrets: Sequence[str],
    ) -> None:
        """`secrets`: the first hashes new codes, all of them are tried on codes that come in."""
        self._database = database
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._notifications = notifications
        self._secrets = secrets

    async def begin(self, *, email: str, password: str, base_url: str) -> None:
        if is_throwaway(email):
            raise ThrowawayAddressError
        password_hash = await self._passwords.hash_new(password, email=email)
        id = new_id("reg")
        async with self._database.begin() as connection:
            await repository.put(connection, id=id, email=email, password_hash=password_hash)
            await defer(connection, "send_registration_mail", registration_id=id, base_url=base_url)

    async def send_again(self, *, email: str, base_url: str) -> None:
        """A new code and link, if somebody began with this address and has not ended; the answer does not tell."""
        async with self._database.begin() as connection:
            id = await repository.find_id(connection, email=email) or new_id("reg")
            await defer(connection, "send_registration_mail", registration_id=id, base_url=base_url)

    async def complete_at_once(
        self, *, email: str, password: str, address: IPAddress, user_agent: str | None
    ) -> Verified:
        """Where there is no mail to verify an address with. Raises EmailTakenError."""
        if is_throwaway(email):
            raise ThrowawayAddressError
        password_hash = await self._passwords.hash_new(password, email=email)
        async with self._database.begin() as connection:
            new = await self._accounts.create_free(
                connection, email=email, password_hash=password_hash, verified=False, address=address
            )
            return await self._with_session(connection, new, user_agent)

    async def send_mail(self, id: str, *, base_url: str) -> None:
        """Code and link are made here, not in the request: a job's arguments stand in the clear."""
        code, token = rules.new_code(), new_token()
        async with self._database.begin() as connection:
            registration = await repository.find(connection, id=id)
            if registration is None:
                return  # verified already, or begun anew
            account = await accounts_repository.find_by_email(connection, email=registration.email)
            if account is None:
                await repository.put_proofs(
                    connection,
                    id=id,
                    code_hash=rules.hash_code(code, registration_id=id, secret=self._secrets[0]),
                    token_hash=hash_token(token),
                )
        if account:
            await self._notifications.already_registered(account.email)
        else:
            link = f"{base_url}/verify-email?token={token}"
            await self._notifications.verify_address(registration.email, code=code, link=link)

    async def verify_code(
        self, *, email: str, code: str, address: IPAddress, user_agent: str | None
    ) -> Verified:
        """Raises TooManyAccountsError to a right code only, which is then not used up: that try is not counted."""
        async with self._database.begin() as connection:
            tried = await repository.try_code(connection, email=email)
            if tried and self._is_right(code, registration_id=tried[0].id, code_hash=tried[1]):
                await repository.take(connection, id=tried[0].id)
                return await self._verified(connection, tried[0], address, user_agent)
        # Outside the block: the counted try must be committed.
        raise InvalidCodeError

    async def verify_link(self, *, token: str, address: IPAddress, user_agent: str | None) -> Verified:
        async with self._database.begin() as connection:
            registration = await repository.take_by_token(connection, token_hash=hash_token(token))
            if registration is None:
                raise InvalidTokenError
            return await self._verified(connection, registration, address, user_agent)

    async def discard_expired(self) -> None:
        async with self._database.begin() as connection:
            await repository.discard_expired(connection)

    def _is_right(self, code: str, *, registration_id: str, code_hash: bytes) -> bool:
        return any(
            hmac.compare_digest(
                rules.hash_code(code, registration_id=registration_id, secret=secret), code_hash
            )
            for secret in self._secrets
        )

    async def _verified(
        self,
        connection: AsyncConnection,
        registration: Registration,
        address: IPAddress,
        user_agent: str | None,
    ) -> Verified:
        try:
            new = await self._accounts.create_free(
                connection,
                email=registration.email,
                password_hash=registration.password_hash,
                verified=True,
                address=address,
            )
        except EmailTakenError:
            # Another account has moved to this address since the mail went out.
            raise InvalidTokenError from None
        return await self._with_session(connection, new, user_agent)

    async def _with_session(
        self, connection: AsyncConnection, new: NewAccount, user_agent: str | None
    ) -> Verified:
        session = await self._sessions.start(connection, account_id=new.account.id, user_agent=user_agent)
        return Verified(new=new, session=session)
