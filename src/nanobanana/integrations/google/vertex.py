"""Vertex AI, the same models in a Google Cloud project: let in by a token that lasts an hour."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from typing import Any, Protocol

import structlog

from nanobanana.integrations.google.errors import (
    ConnectionFailedError,
    GoogleError,
    KeyRejectedError,
    TokenRejectedError,
)

API_VERSION = "v1beta1"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A token is fetched anew this long before it ends, while it still serves …
_AHEAD_S = 300.0
# … and no longer used this long before: the request must arrive in time.
_LAST_S = 10.0
# Without success, until the next try beside a token that still serves.
_PAUSE_S = 10.0
# For a request to Google's token server or the machine's metadata server, and for all that a token takes.
_REQUEST_S = 5
_PATIENCE_S = 15.0
# Of credentials that do not say when their token ends.
_UNKNOWN_LIFE_S = 900.0

Token = tuple[Mapping[str, str], float]

_log = structlog.get_logger(__name__)


def base_url(location: str) -> str:
    """Where a location is served; `us` and `eu` are several regions, `global` is anywhere."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in {"us", "eu"}:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


class TokenSource(Protocol):
    async def headers(self) -> Mapping[str, str]: ...
    def forget(self) -> None: ...


class VertexAccess:
    def __init__(self, *, base_url: str, project: str, location: str, tokens: TokenSource) -> None:
        place = f"projects/{project}/locations/{location}"
        self._models_url = f"{base_url}/{API_VERSION}/{place}/publishers/google/models"
        self._tokens = tokens

    def url(self, model: str, method: str) -> str:
        return f"{self._models_url}/{model}:{method}"

    async def headers(self) -> Mapping[str, str]:
        return await self._tokens.headers()

    def refused(self, error: GoogleError) -> GoogleError:
        """401 is about the token, and the next one may do; who is not let in at all gets 403."""
        if error.http_status != 401:
            return error
        self._tokens.forget()
        return TokenRejectedError("Google rejects the token.", http_status=401, reason=error.reason)


class AccessTokens:
    """Tokens of the application default credentials: a service account's key file that GOOGLE_APPLICATION_CREDENTIALS
    names, or what the machine itself is allowed. Kept until shortly before they end; fetched in a thread, one fetch at
    a time, which nobody waits for longer than 15 s."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._credentials: Any = None
        self._headers: Mapping[str, str] = {}
        self._ends_at = 0.0
        self._next_fetch_at = 0.0
        self._fetch: asyncio.Task[None] | None = None

    async def headers(self) -> Mapping[str, str]:
        now = self._clock()
        serves = now < self._ends_at - _LAST_S
        if not serves:
            await self._fetched()
        elif now > self._ends_at - _AHEAD_S and now > self._next_fetch_at:
            self._begin_fetch()
        return self._headers

    def forget(self) -> None:
        self._ends_at = 0.0

    async def _fetched(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.shield(self._begin_fetch())
        except TimeoutError:
            raise ConnectionFailedError("No token for Vertex AI came in time.") from None

    def _begin_fetch(self) -> asyncio.Task[None]:
        if self._fetch is None:
            self._next_fetch_at = self._clock() + _PAUSE_S
            self._fetch = asyncio.create_task(self._keep_new_token(), name="vertex_token")
            self._fetch.add_done_callback(self._end_fetch)
        return self._fetch

    def _end_fetch(self, fetch: asyncio.Task[None]) -> None:
        self._fetch = None
        if not fetch.cancelled() and (error := fetch.exception()):
            _log.warning("google.no_vertex_token", reason=str(error))

    async def _keep_new_token(self) -> None:
        self._headers, self._ends_at = await asyncio.to_thread(self._new_token)

    def _new_token(self) -> Token:
        """Blocks. google-auth's own errors can quote what the token server said, so they are cut off."""
        from google.auth import default, exceptions  # noqa: PLC0415  an extra
        from google.auth.transport.requests import Request  # noqa: PLC0415  an extra

        request: Any = partial(Request(), timeout=_REQUEST_S)
        try:
            credentials = self._credentials or default(scopes=[_SCOPE], request=request)[0]
            self._credentials = (
                None  # after a failure they are looked up again: the operator may have mended them
            )
            credentials.refresh(request)
        except (exceptions.GoogleAuthError, OSError, ValueError) as error:
            raise _token_error(error) from None
        self._credentials = credentials
        headers: dict[str, str] = {}
        credentials.apply(headers)
        return headers, self._end_of_token(credentials)

    def _end_of_token(self, credentials: Any) -> float:
        expiry = credentials.expiry  # of UTC, without saying so
        return expiry.replace(tzinfo=UTC).timestamp() if expiry else self._clock() + _UNKNOWN_LIFE_S


def _token_error(error: Exception) -> GoogleError:
    reason = type(error).__name__
    if reason == "TransportError" or getattr(error, "retryable", False):
        return ConnectionFailedError("No token for Vertex AI could be fetched.", reason=reason)
    return KeyRejectedError("Google gives no token for Vertex AI.", reason=reason)
