"""Small pictures for lists: made at the first look, and kept beside the picture for as long as that.

A deleted picture has none: its row says so before its files go, and a thumbnail is kept before the row is looked at
once more. One of the two sees the other.
"""

import asyncio
from pathlib import Path

import structlog

from nanobanana.domain.gallery import repository
from nanobanana.domain.gallery.errors import gone
from nanobanana.domain.gallery.types import NamedPicture
from nanobanana.domain.images import rules
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.names import FileName, thumbnail
from nanobanana.domain.images.service import Images
from nanobanana.errors import NanoBananaError, NotFoundError, OverloadedError, ServiceUnavailableError
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

# As many as a page of a list has. They take seconds.
_WAITING_AT_MOST = 100

log = structlog.get_logger()


class Thumbnails:
    def __init__(self, database: Database, *, images: Images) -> None:
        self._database = database
        self._images = images
        self._making: dict[str, asyncio.Task[bytes]] = {}
        # A core, and a picture with all its pixels, at a time: images on their way come first.
        self._turn = asyncio.Semaphore(1)

    async def get(self, file: FileName) -> Path | str | bytes:
        """The file, a link to it, or the picture itself. Raises the error of a picture that is gone or never was, and
        OverloadedError while too many others are to be made."""
        name = thumbnail(file.name)
        if (path := self._images.file(name)) and path.is_file():
            return path
        picture = await self._living(file)
        try:
            if found := await self._images.find(name, expires_at=picture.expires_at):
                return found
        except StoreError as error:
            log.warning("thumbnail_not_found", detail=str(error))  # the picture may be elsewhere
        return await self._made(file, picture)

    async def _made(self, file: FileName, picture: NamedPicture) -> bytes:
        """Once for all who ask at the same time, whether they stay or not."""
        task = self._making.get(file.name)
        if task is None:
            if len(self._making) >= _WAITING_AT_MOST:
                raise OverloadedError
            task = self._making[file.name] = asyncio.create_task(self._make(file, picture))
            task.add_done_callback(lambda ended: self._forget(file.name, ended))
        return await asyncio.shield(task)

    def _forget(self, name: str, ended: asyncio.Task[bytes]) -> None:
        del self._making[name]
        if not ended.cancelled():
            ended.exception()  # told to whoever waits; nobody may be left

    async def _make(self, file: FileName, picture: NamedPicture) -> bytes:
        async with self._turn:
            try:
                source = await self._source(picture)
                small = await asyncio.to_thread(rules.thumbnail, source)
            except (StoreError, UnusablePictureError) as error:
                raise ServiceUnavailableError("The picture cannot be read at the moment.") from error
            await self._keep(file, small, keep_s=picture.keep_s)
        return small

    async def _living(self, file: FileName) -> NamedPicture:
        picture = await repository.find_by_name(self._database, file)
        if picture is None or picture.image_state != "kept":
            error = picture and gone(picture.image_state, at=picture.expires_at)
            raise error or NotFoundError("There is no such image.")
        return picture

    async def _source(self, picture: NamedPicture) -> bytes:
        data = picture.image_format and await self._images.read(picture.image_name, picture.image_format)
        if not data:
            raise NotFoundError("There is no such image.")
        return data

    async def _keep(self, file: FileName, small: bytes, *, keep_s: int | None) -> None:
        name = thumbnail(file.name)
        try:
            await self._images.keep_thumbnail(name, small, keep_s=keep_s)
            await self._living(file)
        except StoreError as error:
            log.warning("thumbnail_not_kept", detail=str(error))
        except NanoBananaError:
            await self._images.discard_thumbnail(name)
            raise
