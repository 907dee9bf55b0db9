"""Orders for images: admitted, made, looked up."""

import secrets
from collections.abc import Sequence

from nanobanana.domain.api_keys.errors import InvalidApiKeyError
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.api_keys.types import Bearer
from nanobanana.domain.generation import magic_words, repository
from nanobanana.domain.generation.runner import Runner
from nanobanana.domain.generation.types import Generation, Order
from nanobanana.errors import NotFoundError
from nanobanana.kit import base62
from nanobanana.kit.addresses import IPAddress
from nanobanana.kit.ids import new_id
from nanobanana.metrics import STEP_SECONDS
from nanobanana.storage.database import Database


class Generations:
    def __init__(self, database: Database, *, api_keys: ApiKeys, runner: Runner) -> None:
        self._database = database
        self._api_keys = api_keys
        self._runner = runner

    async def create(
        self, order: Order, *, bearer: Bearer, client_address: IPAddress, wait_s: float
    ) -> Generation:
        """Admits the order and works on it. Gives it finished, or as it stands after `wait_s` seconds;
        the work then goes on without the caller."""
        if bearer.mode == "test" and (refusal := magic_words.refusal(order.prompt)):
            await self._api_keys.check(bearer, scope="generate", client_address=client_address)
            raise refusal
        with STEP_SECONDS.labels("admit").time():
            generation = await repository.admit(
                self._database,
                id=new_id("gen"),
                image_name=base62.encode(secrets.randbits(128), 22),
                bearer=bearer,
                client_address=client_address,
                order=order,
            )
        if generation is None:
            await self._api_keys.check(bearer, scope="generate", client_address=client_address)
            raise InvalidApiKeyError  # refused a moment ago, allowed again by now
        self._api_keys.note_use(bearer)
        return await self._runner.run(generation, wait_s=wait_s)

    async def get(self, id: str, *, account_id: str) -> Generation:
        generation = await repository.get(self._database, id, account_id=account_id)
        if generation is None:
            raise NotFoundError("There is no such generation.")
        return generation

    async def page(
        self, *, account_id: str, before: str | None, limit: int
    ) -> tuple[Sequence[Generation], bool]:
        """Up to `limit` generations, newest first, and whether there are older ones."""
        found = await repository.page(self._database, account_id=account_id, before=before, limit=limit + 1)
        return found[:limit], len(found) > limit
