"""Issue, check and revoke API keys."""

import time
from collections.abc import Sequence

from nanobanana.domain.api_keys import repository, rules
from nanobanana.domain.api_keys.errors import AccountSuspendedError, InvalidApiKeyError, MistypedApiKeyError
from nanobanana.domain.api_keys.types import ApiKey, Bearer, IssuedKey, Mode
from nanobanana.errors import NotFoundError
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import AsyncConnection, Database

_CACHE_S = 5
_CACHE_ENTRIES = 10_000


class ApiKeys:
    def __init__(self, database: Database, *, secrets: Sequence[str]) -> None:
        """`secrets`: the first hashes new keys, all of them are tried on keys that come in."""
        self._database = database
        self._secrets = secrets
        self._recent: dict[str, tuple[float, Bearer]] = {}

    async def issue(
        self, connection: AsyncConnection, *, account_id: str, mode: Mode, name: str
    ) -> IssuedKey:
        text = rules.new_key(mode)
        api_key = await repository.add(
            connection,
            id=new_id("key"),
            account_id=account_id,
            mode=mode,
            name=name,
            hash=rules.hash_key(text, self._secrets[0]),
            last4=text[-4:],
        )
        return IssuedKey(api_key=api_key, text=text)

    async def create(self, *, account_id: str, mode: Mode, name: str) -> IssuedKey:
        async with self._database.begin() as connection:
            return await self.issue(connection, account_id=account_id, mode=mode, name=name)

    async def list_alive(self, *, account_id: str) -> list[ApiKey]:
        async with self._database.begin() as connection:
            return await repository.list_alive(connection, account_id=account_id)

    async def revoke(self, id: str, *, account_id: str) -> None:
        async with self._database.begin() as connection:
            if not await repository.revoke(connection, id=id, account_id=account_id):
                raise NotFoundError("There is no such API key.")

    async def resolve(self, text: str) -> Bearer:
        """Who a key belongs to, as the database has it at this moment."""
        if not rules.is_well_formed(text):
            raise MistypedApiKeyError if text.startswith("nb_") else InvalidApiKeyError
        hashes = [rules.hash_key(text, secret) for secret in self._secrets]
        row = await repository.find_bearer(self._database, hashes=hashes)
        if row is None:
            raise InvalidApiKeyError
        if row.pop("suspended"):
            raise AccountSuspendedError
        return Bearer(**row)  # type: ignore[arg-type]

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
