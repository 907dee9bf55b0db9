"""The picture on its way: fitted to the size, stored, found again, linked."""

import asyncio
import base64
from pathlib import Path

from nanobanana.domain.images import rules
from nanobanana.domain.images.types import ENDINGS, MEDIA_TYPES, ImageFormat, ImageStore, Picture


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

    async def keep(self, stem: str, picture: Picture) -> None:
        await self._store.put(f"{stem}.{picture.ending}", picture.data)

    async def recover(self, stem: str) -> Picture | None:
        """A picture that was stored under this name before its row could be settled; what is half of one is removed."""
        await self._store.discard_partial(stem)
        for ending in ENDINGS.values():
            data = await self._store.get(f"{stem}.{ending}")
            if data is not None:
                return rules.inspect(data)
        return None

    async def delete(self, stem: str) -> None:
        """In every format, and what is half of one: attempts that lost their row may have left another than the row
        names."""
        await self._store.discard_partial(stem)
        for ending in ENDINGS.values():
            await self._store.delete(f"{stem}.{ending}")

    def path(self, stem: str, format: ImageFormat) -> str | None:
        """Under which we serve the picture; None when no store but the answer itself must hold it."""
        name = f"{stem}.{ENDINGS[format]}"
        return f"/images/{name}" if self._store.file(name) else None

    async def data_url(self, stem: str, format: ImageFormat) -> str | None:
        """The picture itself as a link, while it waits."""
        async with self._data_urls_at_once:
            data = await self._store.get(f"{stem}.{ENDINGS[format]}")
        if data is None:
            return None
        return f"data:{MEDIA_TYPES[ENDINGS[format]]};base64,{base64.b64encode(data).decode()}"

    def file(self, name: str) -> Path | None:
        file = self._store.file(name)
        return file if file and file.is_file() else None
