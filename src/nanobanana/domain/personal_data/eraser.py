"""Erases what erased accounts have left behind, in every process and through any kill.

Prompts go first, whether the store is there or not; then pictures; then the rows say that these are gone, and an account
is finished after its last row: whoever goes on where another was killed finds all that is left. Doing a step twice does
no harm. What is left of attempts that no row tells of, and the store fails to delete, is the sweep's.
"""

from collections.abc import Sequence

import structlog

from nanobanana.domain.images.service import Images
from nanobanana.domain.personal_data import repository
from nanobanana.domain.personal_data.types import Trace
from nanobanana.domain.webhooks import delivery_repository as deliveries
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

_BATCH = 100

log = structlog.get_logger()


class Eraser:
    def __init__(self, database: Database, *, images: Images) -> None:
        self._database = database
        self._images = images

    async def erase_due(self) -> None:
        """Goes through the erased accounts that nobody else is at."""
        while account_id := await repository.claim(self._database):
            await self._erase(account_id)

    async def _erase(self, account_id: str) -> None:
        while await repository.empty_keys(self._database, account_id=account_id, limit=_BATCH):
            pass
        await repository.delete_idempotency_keys(self._database, account_id=account_id)
        while await deliveries.discard_deleted(self._database, account_id=account_id, limit=_BATCH):
            pass
        if await self._erase_generations(account_id):
            await repository.finish(self._database, account_id=account_id)
            log.info("account_erased", account_id=account_id)

    async def _erase_generations(self, account_id: str) -> bool:
        """Whether that were all. What is still being made is left for when the lease has run out: no generation is
        added to an erased account, so that one without unfinished ones stays so."""
        complete, last = True, ""
        while traces := await repository.next_traces(
            self._database, account_id=account_id, after=last, limit=_BATCH
        ):
            last = traces[-1].id
            complete = complete and all(trace.ended for trace in traces)
            due = [trace for trace in traces if trace.ended and not trace.erased]
            await repository.empty_generations(self._database, [trace.id for trace in due])
            complete = await self._delete_pictures(due) and complete
        return complete

    async def _delete_pictures(self, traces: Sequence[Trace]) -> bool:
        """False when the store fails: the rows still say that there is something."""
        try:
            await self._images.delete_pictures(trace.picture for trace in traces if trace.picture)
            for trace in traces:
                if trace.may_have_more:
                    await self._images.delete(trace.image_name)
        except StoreError as error:
            log.warning("pictures_not_erased", pictures=len(traces), detail=str(error))
            return False
        await repository.note_gone(self._database, [trace.id for trace in traces])
        return True
