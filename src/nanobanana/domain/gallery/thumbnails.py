"""Small pictures for lists: made at the first look, and kept beside the picture for as long as that.

A deleted picture has none: its row says so before its files go, and a thumbnail is kept before the row is looked at
once more. One of the two sees the other.
"""

import asyncio
from pathlib import Path

import structlog

from nanobanana.domain.gallery.lookup import living, no_such_image
from nanobanana.domain.gallery.types import NamedPicture
from nanobanana.domain.images import rules
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.names import FileName, thumbnail
from nanobanana.domain.images.service import Images
from nanobanana.errors import NanoBananaError, OverloadedError, ServiceUnavailableError
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.storage.database import Database

# As many as a page of a list has. They take seconds.
_WAITING_AT_MOST = 100
# Whole pictures in memory at a time: some are read while one is drawn.
_READ_AT_ONCE = 4
# A store that hangs is waited for so long, by each who asks, and nobody stands behind them for longer.
_PATIENCE_S = 10

log = structlog.get_logger()


class Thumbnails:
    def __init__(self, database: Database, *, images: Images) -> None:
        self._database = database
        self._images = images
        self._making: dict[str, asyncio.Task[bytes]] = {}
        # A core, and a picture with all its pixels, at a time: images on their way come first.
        self._turn = asyncio.Semaphore(1)
        self._sources = asyncio.Semaphore(_READ_AT_ONCE)

    async def get(self, file: FileName) -> Path | str | bytes:
        """The file, a link to it, or the picture itself. Raises the error of a picture that is gone or never was, and
        OverloadedError while too many others are to be made or its turn does not come."""
        name = thumbnail(file.name)
        if (path := self._images.file(name)) and path.is_file():
            return path
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._found_or_made(name, file)
        except TimeoutError:
            raise OverloadedError from None

    async def _found_or_made(self, name: str, file: FileName) -> Path | str | bytes:
        picture = await living(self._database, file)
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
        try:
            async with asyncio.timeout(_PATIENCE_S) as limit, self._sources:
                source = await self._source(file, picture)
                async with self._turn:
                    limit.reschedule(
                        None
                    )  # a thread cannot be stopped, and the turn is its own until it ends
                    small = await asyncio.to_thread(rules.thumbnail, source)
        except TimeoutError:
            raise OverloadedError from None
        except (StoreError, UnusablePictureError) as error:
            raise ServiceUnavailableError("The picture cannot be read at the moment.") from error
        await self._keep(file, small, keep_s=picture.keep_s)
        return small

    async def _source(self, file: FileName, picture: NamedPicture) -> bytes:
        data = picture.image_format and await self._images.read(picture.image_name, picture.image_format)
        if not data:
            await living(self._database, file)  # it may have been deleted a moment ago
            raise no_such_image()
        return data

    async def _keep(self, file: FileName, small: bytes, *, keep_s: int | None) -> None:
        name = thumbnail(file.name)
        try:
            await self._images.keep_thumbnail(name, small, keep_s=keep_s)
        except StoreError as error:
            log.warning("thumbnail_not_kept", detail=str(error))
        try:
            await living(self._database, file)
        except NanoBananaError:
            await self._images.discard_thumbnail(name)
            raise
