"""Deletes pictures whose time is up, in every process and through any kill.

First the row says that its picture is gone, and from then on nobody brings it back; then the files go; then the row says
that there are none left. Whoever is killed in between leaves a row that is found again. Doing a step twice does no harm.
"""

import structlog

from nanobanana.domain.images.service import Images
from nanobanana.domain.retention import purge_repository as repository
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

log = structlog.get_logger()


class Purge:
    def __init__(self, database: Database, *, images: Images) -> None:
        self._database = database
        self._images = images

    async def purge(self) -> None:
        """Batch by batch until nothing is due that nobody else is at, or the store fails."""
        after = None
        while expired := await repository.claim(self._database, after=after):
            ids = [picture.id for picture in expired]
            try:
                await self._images.delete_pictures(
                    (picture.image_name, picture.image_format) for picture in expired
                )
            except StoreError as error:
                # One that can never be deleted must not keep all others from it.
                await repository.postpone(self._database, ids)
                log.warning("pictures_not_purged", pictures=len(ids), detail=str(error))
                return
            await repository.finish(self._database, ids)
            after = max(picture.expires_at for picture in expired)
