"""An answer that holds a picture which no store has: put together when it is its turn, and in memory until it is taken.

In an outage these are most answers, of megabytes each. Callers that take their time could fill the memory.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import Response
from starlette.types import Receive, Scope, Send

from nanobanana.errors import OverloadedError
from nanobanana.web.api.schemas.generations import GenerationView


class PictureAnswer(Response):
    """`picture` as Images.data_url; `link` is where it is when it does not wait any more. While there is no room the
    caller gets `later`, which says where to ask again."""

    def __init__(
        self,
        view: GenerationView,
        picture: AbstractAsyncContextManager[str | None],
        *,
        link: str | None,
        headers: Mapping[str, str],
        later: Response,
    ) -> None:
        super().__init__(headers=headers, media_type="application/json")
        self._view = view
        self._picture = picture
        self._link = link
        self._later = later

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._picture as url:
                await self._send(url or self._link, send)
        except OverloadedError:
            await self._later(scope, receive, send)

    async def _send(self, url: str | None, send: Send) -> None:
        body = self._view.model_copy(update={"url": url}).model_dump_json().encode()
        self.headers["Content-Length"] = str(len(body))
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        # The server takes this once the caller has taken most of what was before.
        await send({"type": "http.response.body", "body": b"", "more_body": False})
