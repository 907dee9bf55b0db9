"""Pictures from Google's image models: one call is one request on the wire, nothing is retried here."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import aiohttp
import orjson

from nanobanana.integrations.google import failures, generate_content, http, long_strings, predict
from nanobanana.integrations.google.access import Access
from nanobanana.integrations.google.errors import (
    BrokenAnswerError,
    ConnectionFailedError,
    ConnectionLostError,
    TimedOutError,
)
from nanobanana.integrations.google.long_strings import Answer
from nanobanana.integrations.google.types import GoogleImage, ImageRequest

MAX_ERROR_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class GoogleImages:
    """One model by one way in.

    `timeout_s` is how long Google may take until its answer begins; the answer's body has a limit of its own.
    `body_slots` bounds how many answers are in memory at once, over all ways that share it.
    """

    def __init__(
        self,
        client: aiohttp.ClientSession,
        *,
        access: Access,
        model: str,
        timeout_s: float,
        body_slots: asyncio.Semaphore,
    ) -> None:
        self._client = client
        self._access = access
        self._model = model
        self._protocol = _protocol(model)
        self._url = access.url(model, self._protocol.METHOD)
        # Google then gives up at the same moment as we do.
        self._headers = {"Content-Type": "application/json", "X-Server-Timeout": str(math.ceil(timeout_s))}
        self._timeout_s = timeout_s
        self._body_slots = body_slots

    @asynccontextmanager
    async def generate(self, request: ImageRequest) -> AsyncIterator[GoogleImage]:
        """Ask for one picture; raises GoogleError when there is none.

        A body slot is taken when the answer's head is there and before its body is read, and held until the block ends.
        So fit and store the picture inside the block. Waiting for the slot never times out: Google has charged already.
        """
        response = await self._post(request)
        if response.status != 200:
            error = failures.from_http(response.status, await _error_body(response))
            raise self._access.refused(error)
        async with response, self._body_slots:
            yield self._protocol.parse(await _answer(response), model=self._model)

    async def _post(self, request: ImageRequest) -> aiohttp.ClientResponse:
        headers = {**self._headers, **await self._access.headers()}
        body = self._protocol.body(request)
        with _no_answer_errors():
            async with asyncio.timeout(self._timeout_s):
                return await self._client.post(self._url, data=body, headers=headers, allow_redirects=False)


class _WireProtocol(Protocol):
    METHOD: str

    def body(self, request: ImageRequest) -> bytes: ...
    def parse(self, answer: Answer, *, model: str) -> GoogleImage: ...


def _protocol(model: str) -> _WireProtocol:
    return predict if model.startswith("imagen-") else generate_content


@contextmanager
def _no_answer_errors() -> Iterator[None]:
    """Cut the causes off: aiohttp's exceptions can hold the request's headers, and so the key."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise ConnectionFailedError("Google cannot be reached.", reason=type(error).__name__) from None
    except TimeoutError:
        raise TimedOutError("Google did not answer in time.") from None
    except aiohttp.ClientResponseError as error:
        raise BrokenAnswerError("Google's answer is no HTTP.", reason=type(error).__name__) from None
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectionLostError("The connection to Google broke.", reason=type(error).__name__) from None


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """Return what can be read of it: the status alone says enough."""
    try:
        async with response:
            return await http.read(response, at_most=MAX_ERROR_BYTES)
    except (aiohttp.ClientError, OSError):
        return b""


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    """Read and parse the body; its bytes are free again with the answer's long strings."""
    try:
        body = await http.read(response, at_most=MAX_ANSWER_BYTES)
    except TimeoutError:
        raise TimedOutError("Google's answer stopped coming.", http_status=200) from None
    except (aiohttp.ClientError, OSError) as error:
        raise BrokenAnswerError(
            "Google's answer broke off.", http_status=200, reason=type(error).__name__
        ) from None
    if len(body) > MAX_ANSWER_BYTES:
        raise BrokenAnswerError("Google's answer is too large.", http_status=200)
    try:
        return long_strings.parse(body)
    except orjson.JSONDecodeError:
        raise BrokenAnswerError("Google's answer is no JSON.", http_status=200) from None
