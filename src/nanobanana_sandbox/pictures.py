"""Picture files on order: drawn in threads, each order once, the base64 text cached up to a bound."""

import asyncio
import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pybase64

from nanobanana_sandbox.orders import PictureOrder


class Pictures:
    def __init__(self, *, cache_bytes: int) -> None:
        self._cache_bytes = cache_bytes
        self._bytes = 0
        self._cache: OrderedDict[PictureOrder, bytes] = OrderedDict()
        self._being_drawn: dict[PictureOrder, asyncio.Future[bytes]] = {}
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "painter")

    async def base64(self, order: PictureOrder) -> bytes:
        """Return the file as base64 text: the same object for the same order while it is cached."""
        cached = self._cache.get(order)
        if cached is not None:
            self._cache.move_to_end(order)
            return cached
        drawing = self._being_drawn.get(order)
        if drawing is None:
            drawing = asyncio.get_running_loop().run_in_executor(self._threads, _encoded, order)
            self._being_drawn[order] = drawing
            drawing.add_done_callback(lambda done: self._keep(order, done))
        # A caller that leaves must not take the drawing from the others.
        return await asyncio.shield(drawing)

    def _keep(self, order: PictureOrder, drawing: "asyncio.Future[bytes]") -> None:
        del self._being_drawn[order]
        if drawing.cancelled() or drawing.exception():
            return
        self._cache[order] = drawing.result()
        self._bytes += len(drawing.result())
        while self._bytes > self._cache_bytes and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._bytes -= len(dropped)


def _encoded(order: PictureOrder) -> bytes:
    # Pillow costs a third of the start; it is needed from the first picture on.
    from nanobanana_sandbox.picture_file import picture_file  # noqa: PLC0415

    return pybase64.b64encode(picture_file(order))
