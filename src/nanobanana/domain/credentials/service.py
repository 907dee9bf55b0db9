"""What an owner changes with the current password, and the password when it is forgotten.

As with registration, whether an address has an account is looked up by the job that writes the mail.
"""

from nanobanana.domain.accounts import repository as accounts_repository
from nanobanana.domain.accounts.errors import InvalidTokenError, ThrowawayAddressError
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.rules import is_throwaway
from nanobanana.domain.credentials import repository
from nanobanana.domain.credentials.errors import WrongPasswordError
from nanobanana.domain.credentials.types import AccountChanges, Credentials
from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.sessions.errors import InvalidSessionError
from nanobanana.domain.sessions.service import Sessions
from nanobanana.domain.sessions.types import Session
from nanobanana.kit.ids import new_id
from nanobanana.kit.tokens import hash_token, new_token
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.queue import defer


class CredentialChanges:
    def __init__(
        self,
        database: Database,
        *,
        sessions: Sessions,
        passwords: Passwords,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._notifications = notifications

    async def forgot_password(self, *, email: str, base_url: str) -> None:
        async with self._database.begin() as connection:
            await defer(connection, "send_password_reset", email=email, base_url=base_url)

    async def send_password_reset(self, email: str, *, base_url: str) -> None:
        """To the address as the account has it: the one asked for may only look the same."""
        token = new_token()
        async with self._database.begin() as connection:
            account = await accounts_repository.find_by_email(connection, email=email)
            if account is None or not await accounts_repository.hold(connection, id=account.id):
                return
            await repository.put_token(
                connection,
                id=new_id("tok"),
                account_id=account.id,
                purpose="reset_password",
                token_hash=hash_token(token),
            )
        link = f"{base_url}/reset-password?token={token}"
        await self._notifications.reset_password(account.email, link=link)

    async def reset_password(self, *, token: str, password: str) -> None:
        """Ends all sessions: whoever had to reset may have lost the old password to somebody."""
        token_hash = hash_token(token)
        async with self._database.begin() as connection:
            found = await repository.find_by_token(
                connection, purpose="reset_password", token_hash=token_hash
            )
        if found is None:
            raise InvalidTokenError
        password_hash = await self._passwords.hash_new(password, email=found.email)
        async with self._database.begin() as connection:
            taken = await repository.take_token(connection, purpose="reset_password", token_hash=token_hash)
            if taken is None:
                raise InvalidTokenError
            await repository.reset_password(
                connection, account_id=found.account_id, password_hash=password_hash
            )
            await self._password_is_new(connection, found, session_id=None)

    async def confirm(self, session: Session, *, current_password: str) -> Credentials:
        """That it is the owner who asks, not whoever found the session. Raises WrongPasswordError."""
        async with self._database.begin() as connection:
            current = await repository.find(connection, account_id=session.account_id)
        if current is None:
            raise InvalidSessionError
        if not await self._passwords.is_right(current_password, password_hash=current.password_hash):
            raise WrongPasswordError
        return current

    async def change(
        self,
        session: Session,
        *,
        current_password: str,
        changes: AccountChanges,
        base_url: str,
    ) -> None:
        """All at once or nothing; but the address changes when the link in the mail to it comes back."""
        password, email = changes.get("password"), changes.get("email")
        if email and is_throwaway(email):
            raise ThrowawayAddressError
        current = await self.confirm(session, current_password=current_password)
        new_hash = await self._passwords.hash_new(password, email=current.email) if password else None
        async with self._database.begin() as connection:
            if not await accounts_repository.hold(connection, id=current.account_id):
                raise InvalidSessionError
            if new_hash:
                await self._change_password(connection, current, new_hash, session_id=session.id)
            if email:
                await self._ask_to_confirm(connection, current.account_id, email, base_url)
            if "spending_cap_micro_usd" in changes:
                await accounts_repository.cap_spending(
                    connection,
                    account_id=current.account_id,
                    micro_usd=changes["spending_cap_micro_usd"],
                )

    async def send_email_confirmation(self, token_id: str, *, base_url: str) -> None:
        token = new_token()
        async with self._database.begin() as connection:
            email = await repository.put_token_hash(connection, id=token_id, token_hash=hash_token(token))
            if email is None:
                return  # confirmed already, or taken back
            owner = await accounts_repository.find_by_email(connection, email=email)
        if owner:
            await self._notifications.already_registered(owner.email)
        else:
            link = f"{base_url}/confirm-email?token={token}"
            await self._notifications.confirm_address(email, link=link)

    async def confirm_email(self, *, token: str) -> None:
        async with self._database.begin() as connection:
            taken = await repository.take_token(
                connection, purpose="confirm_email", token_hash=hash_token(token)
            )
            if taken is None:
                raise InvalidTokenError
            account_id, email = taken
            old = await repository.replace_email(connection, account_id=account_id, email=str(email))
            if old is None:
                raise InvalidTokenError
            # A reset that was mailed to the old address must not work any more.
            await repository.end_tokens(connection, account_id=account_id)
            await defer(connection, "send_address_changed", email=old)

    async def discard_expired(self) -> None:
        async with self._database.begin() as connection:
            await repository.discard_expired(connection)

    async def _change_password(
        self, connection: AsyncConnection, current: Credentials, new_hash: str, *, session_id: str
    ) -> None:
        if not await accounts_repository.replace_password_hash(
            connection, account_id=current.account_id, old=current.password_hash, new=new_hash
        ):
            raise WrongPasswordError
        await self._password_is_new(connection, current, session_id=session_id)

    async def _password_is_new(
        self, connection: AsyncConnection, changed: Credentials, *, session_id: str | None
    ) -> None:
        """Whatever somebody began with the old password ends."""
        await self._sessions.end_all(connection, account_id=changed.account_id, but=session_id)
        await repository.end_tokens(connection, account_id=changed.account_id)
        await defer(connection, "send_password_changed", email=changed.email)

    async def _ask_to_confirm(
        self, connection: AsyncConnection, account_id: str, email: str, base_url: str
    ) -> None:
        token_id = new_id("tok")
        await repository.put_token(
            connection, id=token_id, account_id=account_id, purpose="confirm_email", email=email
        )
        await defer(connection, "send_email_confirmation", token_id=token_id, base_url=base_url)
