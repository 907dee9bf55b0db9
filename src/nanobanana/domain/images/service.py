"""The picture on its way: fitted to the size, stored, found again, linked."""

import asyncio
import base64
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

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


class Images:
    def __init__(self, store: ImageStore) -> None:
        self._store = store
        # A picture and its base64, each of megabytes, at a time.
        self._data_urls_at_once = asyncio.Semaphore(4)

    async def fit(
        self,
        data: bytes,
        *,
        width: int,
        height: int,
        format: ImageFormat | None,
        watermark: str | None = None,
    ) -> Picture:
        """Exactly width x height; the very bytes when they already are. Raises UnusablePictureError."""
        picture = rules.inspect(data)
        if not watermark and rules.matches(picture, width=width, height=height, format=format):
            return picture
        return await asyncio.to_thread(
            rules.fit, picture, width=width, height=height, format=format, watermark=watermark
        )

    async def keep(self, stem: str, picture: Picture, *, keep_s: int | None) -> ImagePlace:
        """Where it is kept; `keep_s` as the store's. Raises StoreError."""
        await self._store.put(f"{stem}.{picture.ending}", picture.data, keep_s=keep_s)
        return self._store.place

    async def adopt(self, name: str, *, keep_s: int | None) -> tuple[Picture, ImagePlace] | None:
        """The picture that an earlier attempt at the same image left whole, now under `name`; what else there was of
        them is gone. Whoever is killed in here leaves the picture under one of the names."""
        picture, left = None, await self._store.names(first_name(name))
        for other in left:
            picture = picture or await self._whole(other)
        place = await self.keep(name, picture, keep_s=keep_s) if picture else self._store.place
        kept = picture and f"{name}.{picture.ending}"
        await self._store.delete([other for other in left if other != kept])
        return (picture, place) if picture else None

    async def discard(self, name: str) -> None:
        """What one attempt has left."""
        await self._store.delete(await self._store.names(f"{name}."))

    async def delete(self, name: str) -> None:
        """What all attempts at the same image have left, in every format and also what is half of one."""
        await self._store.delete(await self._store.names(first_name(name)))

    async def delete_pictures(self, pictures: Iterable[tuple[str, ImageFormat]]) -> None:
        """Of rows that have ended, by the names and formats in them, with their thumbnails: without looking around in
        the store. Raises StoreError."""
        names = [(f"{stem}.{ENDINGS[format]}", thumbnail(stem)) for stem, format in pictures]
        await self._store.delete([name for both in names for name in both])

    def link(
        self, stem: str, format: ImageFormat, *, expires_at: datetime | None, base_url: str
    ) -> str | None:
        """Where the picture can be fetched; None when only the answer itself can hold it."""
        link = self._store.link(f"{stem}.{ENDINGS[format]}", expires_at=expires_at)
        return f"{base_url}{link}" if link and link.startswith("/") else link

    async def data_url(self, stem: str, format: ImageFormat) -> str | None:
        """The picture itself as a link, while it waits."""
        async with self._data_urls_at_once:
            data = await self._store.get(f"{stem}.{ENDINGS[format]}")
        if data is None:
            return None
        return f"data:{MEDIA_TYPES[ENDINGS[format]]};base64,{base64.b64encode(data).decode()}"

    def file(self, name: str) -> Path | None:
        return self._store.file(name)

    async def _whole(self, name: str) -> Picture | None:
        """None for what is half-written, and for what is no picture."""
        data = await self._store.get(name) if name.rpartition(".")[2] in MEDIA_TYPES else None
        try:
            return rules.inspect(data) if data else None
        except UnusablePictureError:
            return None
