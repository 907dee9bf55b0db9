"""Issue, check, change and revoke API keys."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from nanobanana.domain.api_keys import repository, rules
from nanobanana.domain.api_keys.errors import (
    AccountSuspendedError,
    InvalidApiKeyError,
    IpNotAllowedError,
    MistypedApiKeyError,
    RotatedMeanwhileError,
    ScopeMissingError,
    TooManyKeysError,
)
from nanobanana.domain.api_keys.types import ApiKey, Bearer, IssuedKey, KeySettings, Mode, Month, Scope
from nanobanana.errors import NotFoundError
from nanobanana.kit.addresses import IPAddress
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.events import announce

MAX_KEYS = 100
_CACHE_S = 5
_CACHE_ENTRIES = 10_000


class ApiKeys:
    def __init__(self, database: Database, *, secrets: Sequence[str]) -> None:
        """`secrets`: the first hashes new keys, all of them are tried on keys that come in."""
        self._database = database
        self._secrets = secrets
        self._recent: dict[str, tuple[float, Bearer]] = {}
        self._used: dict[str, float] = {}

    async def issue(
        self, connection: AsyncConnection, *, account_id: str, mode: Mode, settings: KeySettings
    ) -> IssuedKey:
        text = rules.new_key(mode)
        api_key = await repository.add(
            connection,
            id=new_id("key"),
            account_id=account_id,
            mode=mode,
            hash=rules.hash_key(text, self._secrets[0]),
            last4=text[-4:],
            settings=settings,
        )
        return IssuedKey(api_key=api_key, text=text)

    async def create(self, *, account_id: str, mode: Mode, settings: KeySettings) -> IssuedKey:
        async with self._database.begin() as connection:
            if not await repository.lock_keys(connection, account_id=account_id):
                raise NotFoundError("There is no such account.")  # erased a moment ago
            if await repository.count_alive(connection, account_id=account_id) >= MAX_KEYS:
                raise TooManyKeysError(MAX_KEYS)
            return await self.issue(connection, account_id=account_id, mode=mode, settings=settings)

    async def list_alive(self, *, account_id: str) -> list[ApiKey]:
        async with self._database.begin() as connection:
            return await repository.list_alive(connection, account_id=account_id)

    async def names(self, ids: Collection[str], *, account_id: str) -> Mapping[str, str]:
        """By id, of revoked keys too."""
        return await repository.names(self._database, ids, account_id=account_id)

    async def get(self, id: str, *, account_id: str) -> ApiKey:
        async with self._database.begin() as connection:
            return _found(await repository.get(connection, id=id, account_id=account_id))

    async def change(self, id: str, *, account_id: str, settings: KeySettings) -> ApiKey:
        """What `settings` leaves out stays."""
        if not settings:
            return await self.get(id, account_id=account_id)
        async with self._database.begin() as connection:
            return _found(
                await repository.change(connection, id=id, account_id=account_id, settings=settings)
            )

    async def rotate(
        self, id: str, *, account_id: str, overlap: timedelta, last4: str | None = None
    ) -> IssuedKey:
        """A new text for the same key. The present one works for the overlap, the one before it ends now. With the
        `last4` of the text that is to be replaced, a rotation that is sent twice happens once."""
        async with self._database.begin() as connection:
            before = _found(await repository.get(connection, id=id, account_id=account_id))
            text = rules.new_key(before.mode)
            rotated = await repository.rotate(
                connection,
                id=id,
                account_id=account_id,
                hash=rules.hash_key(text, self._secrets[0]),
                last4=text[-4:],
                overlap=overlap,
                present=last4,
            )
            if rotated is None and last4 is not None:
                raise RotatedMeanwhileError
            issued = IssuedKey(api_key=_found(rotated), text=text)
            await announce(
                connection,
                "key.rotated",
                account_id=account_id,
                subject=rules.told_of_rotation(issued.api_key),
            )
            return issued

    async def disable_all(self, *, account_id: str) -> list[ApiKey]:
        """Every key of the account, now disabled: also one that is being created at this moment."""
        async with self._database.begin() as connection:
            await repository.lock_keys(connection, account_id=account_id)
            await repository.disable_all(connection, account_id=account_id)
            return await repository.list_alive(connection, account_id=account_id)

    async def revoke(self, id: str, *, account_id: str) -> None:
        async with self._database.begin() as connection:
            if not await repository.revoke(connection, id=id, account_id=account_id):
                raise NotFoundError(_NO_SUCH_KEY)

    async def resolve(self, text: str) -> Bearer:
        """Who a key belongs to, as the database has it at this moment."""
        if not rules.is_well_formed(text):
            raise MistypedApiKeyError if text.startswith(("nb_live_", "nb_test_")) else InvalidApiKeyError
        hashes = [rules.hash_key(text, secret) for secret in self._secrets]
        bearer = await repository.find_bearer(self._database, hashes=hashes)
        if bearer is None:
            raise InvalidApiKeyError
        return bearer

    async def bearer_of(self, id: str, *, account_id: str) -> Bearer:
        """As `resolve`, for the key's owner, who is logged in and needs no text of it. Raises NotFoundError for a key
        that is not the account's, or does not live."""
        bearer = await repository.bearer_of(self._database, id, account_id=account_id)
        if bearer is None:
            raise NotFoundError(_NO_SUCH_KEY)
        return bearer

    async def resolve_recent(self, text: str) -> Bearer:
        """As `resolve`, but up to five seconds old: good enough to name somebody, never to grant anything."""
        known = self._recent.get(text)
        if known and known[0] > time.monotonic():
            return known[1]
        bearer = await self.resolve(text)
        if len(self._recent) >= _CACHE_ENTRIES:
            self._recent.clear()
        self._recent[text] = (time.monotonic() + _CACHE_S, bearer)
        return bearer

    async def check(self, bearer: Bearer, *, scope: Scope, client_address: IPAddress) -> Month:
        """Raises what keeps this key from doing this, for this caller, at this moment. Gives its account's month.

        What a key may not do is told only while it lives: dead keys get the same answer as wrong ones."""
        standing = await repository.standing(
            self._database, bearer, scope=scope, client_address=client_address
        )
        if standing is None:
            raise InvalidApiKeyError
        if standing.suspended:
            raise AccountSuspendedError
        if not standing.from_allowed_address:
            raise IpNotAllowedError
        if not standing.has_scope:
            raise ScopeMissingError(scope)
        self.note_use(bearer)
        return standing.month

    def note_use(self, bearer: Bearer) -> None:
        self._used[bearer.api_key_id] = time.monotonic()

    async def record_uses(self) -> None:
        """Writes down which keys were used since the last time; when that fails, their next use tells."""
        if used := self._used:
            self._used = {}
            moment = time.monotonic()
            await repository.record_uses(self._database, {id: moment - at for id, at in used.items()})


_NO_SUCH_KEY = "There is no such API key."


def _found(api_key: ApiKey | None) -> ApiKey:
    if api_key is None:
        raise NotFoundError(_NO_SUCH_KEY)
    return api_key
