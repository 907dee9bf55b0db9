"""The picture on its way: fitted to the size, stored, found again, linked."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import structlog

from nanobanana.domain.images import rules
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.names import first_name, thumbnail
from nanobanana.domain.images.types import (
    ENDINGS,
    MEDIA_TYPES,
    ImageFormat,
    ImagePlace,
    ImageStore,
    Picture,
)
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.errors import OverloadedError
from nanobanana.integrations.object_store.errors import StoreError

# Each is megabytes of base64, until its caller has taken it.
_DATA_URLS_AT_ONCE = 32
_DATA_URL_PATIENCE_S = 3

log = structlog.get_logger()


class Images:
    """In the store or, while that takes none, in the waiting room. What is deleted goes from there first: the mover brings
    nothing to the store any more then, and what it has brought goes with the store's."""

    def __init__(self, store: ImageStore, *, waiting: WaitingRoom) -> None:
        self._store = store
        self._waiting = waiting
        self._data_urls = asyncio.Semaphore(_DATA_URLS_AT_ONCE)

    @property
    def is_full(self) -> bool:
        """Whether as many pictures wait for the store as may: nothing more is to be made. Without a store none come to
        wait, and those of an earlier one are in nobody's way."""
        return self._store.place == "store" and self._waiting.is_full

    async def fit(
        self,
        data: bytes,
        *,
        width: int,
        height: int,
        format: ImageFormat | None,
        id: str | None = None,
        watermark: str | None = None,
    ) -> Picture:
        """Exactly width x height; the very bytes when they already are, else with `id` in its metadata. Raises
        UnusablePictureError."""
        picture = rules.inspect(data)
        if not watermark and rules.matches(picture, width=width, height=height, format=format):
            return picture
        return await asyncio.to_thread(
            rules.fit, picture, width=width, height=height, format=format, id=id, watermark=watermark
        )

    async def keep(self, stem: str, picture: Picture, *, keep_s: int | None) -> ImagePlace:
        """Where it is kept; `keep_s` as the store's."""
        name = f"{stem}.{picture.ending}"
        try:
            await self._store.put(name, picture.data, keep_s=keep_s)
        except StoreError:
            await self._waiting.put(name, picture.data)
            return "waiting"
        return self._store.place

    async def adopt(self, name: str, *, keep_s: int | None) -> tuple[Picture, ImagePlace] | None:
        """The picture that an earlier attempt at the same image left whole, now under `name`; what else there was of
        them is gone. Whoever is killed in here leaves the picture under one of the names. Raises StoreError."""
        for source in (self._waiting, self._store):
            picture, left = None, await source.names(first_name(name))
            for other in left:
                picture = picture or await _whole(source, other)
            adopted = picture and (picture, await self.keep(name, picture, keep_s=keep_s))
            kept = picture and f"{name}.{picture.ending}"
            await source.delete([other for other in left if other != kept])
            if adopted:
                return adopted
        return None

    async def discard(self, name: str) -> None:
        """What one attempt has left. Raises StoreError."""
        await self._delete_all(f"{name}.")

    async def delete(self, name: str) -> None:
        """What all attempts at the same image have left, in every format and also what is half of one. Raises
        StoreError."""
        await self._delete_all(first_name(name))

    async def delete_pictures(self, pictures: Iterable[tuple[str, ImageFormat]]) -> None:
        """Of rows that have ended, by the names and formats in them, with their thumbnails: without looking around in
        the store. Raises StoreError."""
        names = [(f"{stem}.{ENDINGS[format]}", thumbnail(stem)) for stem, format in pictures]
        await self._waiting.delete([name for name, _ in names])
        await self._store.delete([name for both in names for name in both])

    def link(
        self, stem: str, format: ImageFormat, *, expires_at: datetime | None, base_url: str
    ) -> str | None:
        """Where the picture can be fetched; None when only the answer itself can hold it."""
        link = self._store.link(f"{stem}.{ENDINGS[format]}", expires_at=expires_at)
        return f"{base_url}{link}" if link and link.startswith("/") else link

    @property
    def links_lead_to(self) -> str | None:
        """The origin of a bucket that browsers fetch pictures from; None when that is us."""
        return self._store.origin

    def thumbnail_link(self, stem: str, *, base_url: str) -> str:
        """Where a small picture can be fetched, which is made when somebody does."""
        return f"{base_url}/thumbnails/{thumbnail(stem)}"

    @asynccontextmanager
    async def data_url(self, stem: str, format: ImageFormat) -> AsyncIterator[str | None]:
        """The picture itself as a link, while it waits; whoever has it stays in here until it is on its way. Raises
        OverloadedError while too many others do."""
        try:
            async with asyncio.timeout(_DATA_URL_PATIENCE_S):
                await self._data_urls.acquire()
        except TimeoutError:
            raise OverloadedError from None
        try:
            data = await self._waiting.get(f"{stem}.{ENDINGS[format]}")
            yield (
                f"data:{MEDIA_TYPES[ENDINGS[format]]};base64,{base64.b64encode(data).decode()}"
                if data
                else None
            )
        finally:
            self._data_urls.release()

    async def read(self, stem: str, format: ImageFormat) -> bytes | None:
        """The picture itself, wherever it is. Raises StoreError."""
        name = f"{stem}.{ENDINGS[format]}"
        return await self._waiting.get(name) or await self._store.get(name)

    async def find(self, name: str, *, expires_at: datetime | None) -> Path | str | bytes | None:
        """What the store has under the name: the file, a link to it, or the bytes that nothing links to. Raises
        StoreError."""
        if path := self._store.file(name):
            return path if path.is_file() else None
        if link := self._store.link(name, expires_at=expires_at):
            return link if await self._store.has(name) else None
        return await self._store.get(name)

    async def keep_thumbnail(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        """Unless another process has kept one. Raises StoreError."""
        await self._store.put(name, data, keep_s=keep_s)

    async def discard_thumbnail(self, name: str) -> None:
        """As far as the store is there to do so; the sweep finds what is left."""
        try:
            await self._store.delete([name])
        except StoreError as error:
            log.warning("thumbnail_not_discarded", detail=str(error))

    def file(self, name: str) -> Path | None:
        return self._store.file(name)

    async def _delete_all(self, beginning: str) -> None:
        for place in (self._waiting, self._store):
            await place.delete(await place.names(beginning))


async def _whole(source: ImageStore | WaitingRoom, name: str) -> Picture | None:
    """None for what is half-written, and for what is no picture."""
    data = await source.get(name) if name.rpartition(".")[2] in MEDIA_TYPES else None
    try:
        return rules.inspect(data) if data else None
    except UnusablePictureError:
        return None
