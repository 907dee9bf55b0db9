"""Orders for images: admitted within every limit, made, looked up."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from nanobanana.domain.api_keys.errors import InvalidApiKeyError
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.api_keys.types import Bearer, Month
from nanobanana.domain.generation import magic_words, repository, rules
from nanobanana.domain.generation.errors import (
    ContentPolicyError,
    IdempotencyKeyReusedError,
    NotCancellableError,
    QuotaExceededError,
    StoreOutageError,
)
from nanobanana.domain.generation.queue import GenerationQueue
from nanobanana.domain.generation.runner import Runner
from nanobanana.domain.generation.speed_limits import SpeedLimits
from nanobanana.domain.generation.types import (
    Admission,
    Created,
    Filters,
    Generation,
    Order,
    Quote,
    Room,
    Token,
    Work,
)
from nanobanana.domain.images.names import new_name
from nanobanana.domain.limits.types import Window
from nanobanana.domain.moderation.service import Moderation
from nanobanana.errors import NanoBananaError, NotFoundError, ServiceUnavailableError
from nanobanana.kit.addresses import IPAddress
from nanobanana.kit.ids import new_id
from nanobanana.metrics import STEP_SECONDS
from nanobanana.storage.database import Database

_ADMIT_SECONDS = STEP_SECONDS.labels("admit")

_DISCARDED_AT_ONCE = 1_000
# Rows for one page: they are read in milliseconds, and those of the largest accounts in a second from a cold disk. An
# index for each filter would cost every image.
LOOKED_AT = 10_000


class Generations:
    def __init__(
        self,
        database: Database,
        *,
        api_keys: ApiKeys,
        speed_limits: SpeedLimits,
        moderation: Moderation,
        runner: Runner,
        queue: GenerationQueue,
        free_images_per_day: int | None,
    ) -> None:
        self._database = database
        self._api_keys = api_keys
        self._speed_limits = speed_limits
        self._moderation = moderation
        self._runner = runner
        self._queue = queue
        self._free_images_per_day = free_images_per_day

    async def create(
        self,
        order: Order,
        *,
        bearer: Bearer,
        client_address: IPAddress,
        idempotency_key: str | None,
        wait_s: float,
    ) -> Created:
        """Admits the order and works on it, or lets it wait while no route can serve. Gives it finished, or as it
        stands after `wait_s` seconds; the work then goes on without the caller. For a day the same idempotency key
        gives the same generation.

        Errors carry the headers that tell how the limits stand."""
        rules.check_retention(order, bearer)
        await self._refuse_by_magic(order, bearer, client_address)
        id = new_id("gen")
        token = rules.token(bearer, idempotency_key=idempotency_key, generation_id=id)
        verdict = await self._speed_limits.take(bearer, token=token.id)
        month = bearer.month
        try:
            if self._is_refused(order, bearer):
                await self._refuse(order, bearer, client_address, idempotency_key)
            admission = await self._admit(id, order, bearer, client_address, idempotency_key)
            month = admission.month or month
            rules.raise_refusal(admission)
        except NanoBananaError as error:
            refund = not isinstance(error, IdempotencyKeyReusedError | ContentPolicyError)
            self._speed_limits.take_back(verdict, token=token.id, refund=refund)
            left = rules.given_back(verdict) if refund else verdict
            _tell_limits(error, rules.limit_headers(bearer, left, rules.month_refused(month, error)))
            raise
        generation = await self._finish(admission, token, wait_s=wait_s)
        left = verdict
        if rules.gives_tokens_back(generation.state):
            left = rules.given_back(verdict)
            if admission.replayed:  # what the order itself took was given back when it ended
                self._speed_limits.take_back(verdict, token=token.id, refund=True)
        return Created(
            generation=generation,
            replayed=admission.replayed,
            headers=rules.limit_headers(bearer, left, rules.month_after(admission, generation)),
        )

    async def quote(self, order: Order, *, bearer: Bearer, client_address: IPAddress) -> Quote:
        """What `create` would hold now, and what is left; raises what it would be refused with. Spends nothing."""
        rules.check_retention(order, bearer)
        await self._refuse_by_magic(order, bearer, client_address)
        verdict = await self._speed_limits.foresee(bearer)
        month = bearer.month
        try:
            month = await self._api_keys.check(bearer, scope="generate", client_address=client_address)
            if self._is_refused(order, bearer):
                raise _refused()
            if self._queue.is_refusing:
                raise StoreOutageError
            room = await self._room(bearer)
        except NanoBananaError as error:
            _tell_limits(error, rules.limit_headers(bearer, verdict, month))
            raise
        return Quote(room=room, headers=rules.limit_headers(bearer, verdict, month))

    async def get(self, id: str, *, account_id: str, wait_s: float = 0) -> Generation:
        """As it stands, or as soon as it has ended within `wait_s` seconds."""
        generation = (await self._find(id, account_id=account_id)).generation
        return await self._wait(generation, account_id=account_id, wait_s=wait_s)

    async def cancel(self, id: str, *, account_id: str) -> Generation:
        """Ends it while it is queued; then nothing is charged. Raises NotCancellableError."""
        work = await self._find(id, account_id=account_id)
        if work.generation.state != "queued":
            raise NotCancellableError(work.generation.state)
        cancelled = await self._runner.settle(work, rules.cancelled(work.generation))
        if cancelled is None:
            raise NotCancellableError((await self._find(id, account_id=account_id)).generation.state)
        return cancelled

    async def page(
        self, *, account_id: str, before: str | None, limit: int, filters: Filters
    ) -> tuple[Sequence[Generation], str | None]:
        """Up to `limit` generations, newest first, and where the next page begins; None: there is none. A page is looked
        for in a bounded number of rows: one of what is rare may be short, or empty, and not be the last."""
        back_to = None
        if filters.look_into_rows:
            back_to = await repository.id_further_back(
                self._database, account_id=account_id, before=before, filters=filters, rows=LOOKED_AT
            )
        found = await repository.page(
            self._database,
            account_id=account_id,
            before=before,
            limit=limit + 1,
            filters=filters,
            back_to=back_to,
        )
        cursor = found[limit - 1].id if len(found) > limit else back_to
        return await self._queue.placed(found[:limit]), cursor

    async def discard_old_idempotency_keys(self) -> None:
        while await repository.discard_idempotency_keys(self._database, limit=_DISCARDED_AT_ONCE):
            pass

    async def limit_headers(self, bearer: Bearer, month: Month) -> dict[str, str]:
        """How the limits of the key stand, for answers that take nothing of them."""
        return rules.limit_headers(bearer, await self._speed_limits.look(bearer), month)

    async def hour_of(self, account_id: str) -> Window | None:
        """How the hour of an account stands, whatever key goes on; None: its plan has no limit an hour."""
        return await self._speed_limits.hour_of(
            account_id, await repository.pace(self._database, account_id=account_id)
        )

    async def _refuse_by_magic(self, order: Order, bearer: Bearer, client_address: IPAddress) -> None:
        if bearer.mode == "test" and (refusal := magic_words.refusal(order.prompt)):
            month = await self._api_keys.check(bearer, scope="generate", client_address=client_address)
            _tell_limits(refusal, await self.limit_headers(bearer, month))
            raise refusal

    def _is_refused(self, order: Order, bearer: Bearer) -> bool:
        """By the operator's word list, which keeps what Google would mind from Google: test keys never get there."""
        return bearer.mode == "live" and self._moderation.refuses(order.prompt)

    async def _refuse(
        self, order: Order, bearer: Bearer, client_address: IPAddress, idempotency_key: str | None
    ) -> None:
        """In place of the admission, so the key is checked here, and counted like a refusal of Google's."""
        await self._api_keys.check(bearer, scope="generate", client_address=client_address)
        wish = rules.idempotency(idempotency_key, order).name if idempotency_key else None
        await self._moderation.count_refusal(bearer.account_id, wish=wish)
        raise _refused()

    async def _room(self, bearer: Bearer) -> Room | None:
        """What is left for one more image; None for test images, which count for nothing."""
        if bearer.mode == "test":
            return None
        room = await repository.room(
            self._database, api_key_id=bearer.api_key_id, free_images_per_day=self._free_images_per_day
        )
        if room.full_limit:
            raise QuotaExceededError(room.full_limit)
        return room

    async def _admit(
        self,
        id: str,
        order: Order,
        bearer: Bearer,
        client_address: IPAddress,
        idempotency_key: str | None,
    ) -> Admission:
        with _ADMIT_SECONDS.time():
            admission = await repository.admit(
                self._database,
                id=id,
                image_name=new_name(id),
                bearer=bearer,
                client_address=client_address,
                order=order,
                idempotency=rules.idempotency(idempotency_key, order) if idempotency_key else None,
                free_images_per_day=self._free_images_per_day,
                queue_max_length=self._queue.max_length,
            )
        if admission is None:
            await self._api_keys.check(bearer, scope="generate", client_address=client_address)
            raise InvalidApiKeyError  # refused a moment ago, allowed again by now
        self._api_keys.note_use(bearer)
        return admission

    async def _finish(self, admission: Admission, token: Token, *, wait_s: float) -> Generation:
        generation = admission.admitted
        if not admission.replayed and generation.state == "running":
            self._runner.start(Work(generation=generation, token=token))
        elif not admission.replayed:
            self._queue.note_arrival()
        generation = await self._wait(generation, account_id=token.account_id, wait_s=wait_s)
        if admission.replayed and generation.has_ended:
            # Taken in this process's memory, if Redis was gone: whoever made the image gives back only its own.
            self._speed_limits.end(token, refund=False)
        return generation

    async def _wait(self, generation: Generation, *, account_id: str, wait_s: float) -> Generation:
        generation = await self._runner.wait(generation, wait_s=wait_s)
        if wait_s and not generation.has_ended:
            # It may have been queued meanwhile, or taken up. Accepted it is in any case.
            with suppress(ServiceUnavailableError):
                generation = (await self._find(generation.id, account_id=account_id)).generation
        (placed,) = await self._queue.placed([generation])
        return placed

    async def _find(self, id: str, *, account_id: str) -> Work:
        work = await repository.find(self._database, id, account_id=account_id)
        if work is None:
            raise NotFoundError("There is no such generation.")
        return work


def _refused() -> ContentPolicyError:
    return ContentPolicyError("The prompt was refused by the content policy of this service.")


def _tell_limits(error: NanoBananaError, headers: Mapping[str, str]) -> None:
    """To the bearer of a key: whoever is told that there is no such key learns nothing about it."""
    if not isinstance(error, InvalidApiKeyError):
        error.headers.update(headers)
