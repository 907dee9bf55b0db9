"""What was made: looked at for as long as it is kept, and deleted."""

from collections.abc import Mapping, Sequence

import structlog

from nanobanana.domain.gallery import repository
from nanobanana.domain.gallery.errors import NotDeletableError, gone
from nanobanana.domain.gallery.lookup import living, no_such_image
from nanobanana.domain.gallery.types import Deletion, NamedPicture
from nanobanana.domain.generation.service import Generations
from nanobanana.domain.generation.types import Generation
from nanobanana.domain.images.names import FileName
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import ImageFormat
from nanobanana.errors import NotFoundError, ServiceUnavailableError
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

log = structlog.get_logger()


class Gallery:
    def __init__(self, database: Database, *, generations: Generations, images: Images) -> None:
        self._database = database
        self._generations = generations
        self._images = images

    async def get(self, id: str, *, account_id: str, wait_s: float) -> Generation:
        """As `Generations.get`; raises ImageExpiredError or ImageDeletedError when its picture is gone."""
        generation = await self._generations.get(id, account_id=account_id, wait_s=wait_s)
        if error := gone(generation.image_state_now, at=generation.expires_at):
            raise error
        return generation

    async def living(self, file: FileName) -> NamedPicture:
        """By a name alone; raises as `get`, and NotFoundError for a name that never had a picture."""
        return await living(self._database, file)

    async def elsewhere(self, name: str, file: FileName) -> str | bytes:
        """What is under a name that is no file here: a link to it in the store, as for those who had their links when
        that was a folder, or the bytes of what no store has. Raises as `living`."""
        picture = await self.living(file)
        if picture.image_format is None or picture.file_name != name:
            raise no_such_image()
        found: str | bytes | None = None
        if picture.image_place != "store":
            found = await self._read(picture.image_name, picture.image_format)
        elif self._images.file(name) is None:
            found = self._images.link(
                picture.image_name, picture.image_format, expires_at=picture.expires_at, base_url=""
            )
        if not found:
            raise no_such_image()
        return found

    async def delete(self, id: str, *, account_id: str) -> None:
        """Raises NotDeletableError for what has not ended."""
        result = (await self.delete_many([id], account_id=account_id))[id]
        if result == "not_found":
            raise NotFoundError("There is no such generation.")
        if result == "not_deletable":
            raise NotDeletableError

    async def delete_many(self, ids: Sequence[str], *, account_id: str) -> Mapping[str, Deletion]:
        """Picture and prompt go, what was made and charged stays; deleted already is deleted. The row says so first,
        so that whoever is killed in here, or finds the store away, leaves files to the purge and nothing to see."""
        results, leftovers = await repository.delete(self._database, ids, account_id=account_id)
        if leftovers:
            try:
                await self._images.delete_pictures((left.image_name, left.image_format) for left in leftovers)
            except StoreError as error:
                log.warning("pictures_not_deleted", number=len(leftovers), detail=str(error))
            else:
                await repository.note_gone(self._database, [left.id for left in leftovers])
        return results

    async def _read(self, stem: str, format: ImageFormat) -> bytes | None:
        try:
            return await self._images.read(stem, format)
        except StoreError as error:
            raise ServiceUnavailableError("The picture cannot be read at the moment.") from error
