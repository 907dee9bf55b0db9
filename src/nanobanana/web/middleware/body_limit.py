"""Bodies are small here: a prompt, an address. What is larger is refused before anything looks at it."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nanobanana.errors import NanoBananaError
from nanobanana.web.errors import BodyTooLargeError, RequestTimeoutError, error_response

LIMIT = 64 * 1024
# Read and thrown away before the refusal: clients that are still sending would not see the answer.
PATIENCE = 2 * 1024 * 1024
# For the whole body; a client that trickles must not hold its place for ever.
BODY_SECONDS = 30


class BodyLimit:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive)
        except TimeoutError:
            await _refuse(RequestTimeoutError("The body took too long to arrive."), scope, receive, send)
        else:
            if len(body) > LIMIT:
                message = f"The body is larger than {LIMIT // 1024} KiB."
                await _refuse(BodyTooLargeError(message), scope, receive, send)
            else:
                await self._app(scope, _replay(body, receive), send)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _read(receive: Receive) -> bytes:
    """The body, or more than LIMIT bytes of it."""
    body = b""
    seen = 0
    more = True
    while more and seen <= PATIENCE:
        message = await receive()
        chunk = message.get("body", b"")
        seen += len(chunk)
        if len(body) <= LIMIT:
            body += chunk
        more = message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body as one message, then whatever the server has to say (that the client left)."""
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(error: NanoBananaError, scope: Scope, receive: Receive, send: Send) -> None:
    error.headers["Connection"] = "close"
    await error_response(error, scope)(scope, receive, send)
