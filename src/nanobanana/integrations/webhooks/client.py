"""Posts deliveries to endpoints: strangers' servers, which may be slow, dead, lying or somewhere they must not be."""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from nanobanana import __version__
from nanobanana.integrations.webhooks import urls
from nanobanana.integrations.webhooks.addresses import Guard, GuardedResolver, Lookup
from nanobanana.integrations.webhooks.errors import RefusedAddressError, RefusedUrlError
from nanobanana.integrations.webhooks.types import Answer
from nanobanana.kit.addresses import IPNetwork

# For everything from the lookup of the name to the head of the answer.
TIMEOUT_S = 20
_CHECK_S = 3
# Of names to send to, and of those that owners give us meanwhile.
_LOOKUPS_AT_ONCE, _CHECKS_AT_ONCE = 32, 8
# Of an answer's body, which nobody wants: so that a server that is still writing it does not meet a reset.
_POLITE_BYTES, _POLITE_S = 4_096, 1


class WebhookClient:
    def __init__(
        self,
        http: aiohttp.ClientSession,
        resolver: GuardedResolver,
        guard: Guard,
        *,
        checks: GuardedResolver,
        https_only: bool,
    ) -> None:
        self._http = http
        self._resolver = resolver
        self._guard = guard
        self._checks = checks
        self._https_only = https_only

    async def check(self, text: str) -> None:
        """Raises RefusedUrlError for a URL that nothing would be sent to. A name that cannot be looked up now may be later."""
        url = urls.parse(text, https_only=self._https_only)
        try:
            async with asyncio.timeout(_CHECK_S):
                await self._checks.resolve(str(url.host), url.port or 0)
        except RefusedAddressError as error:
            raise RefusedUrlError(
                f"{error} On your own machine, the setting WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8 allows it."
            ) from None
        except (OSError, UnicodeError):
            return

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One attempt. Never raises for what the other side does."""
        try:
            async with self._http.post(
                URL(url),
                data=body,
                headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
            ) as response:
                await _hear_out(response)
                return _answer(response.status, response.headers.get("Retry-After"))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(status=None, problem=_problem(error))

    async def close(self) -> None:
        await self._http.close()
        await self._resolver.close()
        await self._checks.close()


def open_client(
    *, https_only: bool, allowed: Sequence[IPNetwork], lookup: Lookup = socket.getaddrinfo
) -> WebhookClient:
    """A connection for each delivery: its address is checked as it is made, and none is kept for later.

    Names are remembered for ten seconds, which also makes one lookup of many at once; that lets nothing through,
    since what is checked is the address."""
    guard = Guard(allowed)
    resolver = GuardedResolver(guard, lookup, lookups_at_once=_LOOKUPS_AT_ONCE)
    checks = GuardedResolver(guard, lookup, lookups_at_once=_CHECKS_AT_ONCE)
    connector = aiohttp.TCPConnector(
        limit=0, force_close=True, resolver=resolver, socket_factory=guard.open_socket, ttl_dns_cache=10
    )
    http = aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": f"nanobanana-webhooks/{__version__}", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=_POLITE_BYTES,
    )
    return WebhookClient(http, resolver, guard, checks=checks, https_only=https_only)


async def _hear_out(response: aiohttp.ClientResponse) -> None:
    """The status has said it all: whatever becomes of the body changes nothing."""
    with suppress(aiohttp.ClientError, OSError):
        async with asyncio.timeout(_POLITE_S):
            await response.content.read(_POLITE_BYTES)


def _answer(status: int, retry_after: str | None) -> Answer:
    if 200 <= status < 300:
        return Answer(status=status, problem=None)
    return Answer(status=status, problem=_refusal(status), retry_after_s=_seconds(retry_after))


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return (
            f"The endpoint answered {status}. Redirects are not followed: change the URL to where it leads."
        )
    if status == 410:
        return "The endpoint answered 410 Gone: it wants no more deliveries."
    return f"The endpoint answered {status}."


def _seconds(retry_after: str | None) -> int | None:
    """A number of seconds or a date."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return int(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, round((moment - datetime.now(UTC)).total_seconds()))


def _problem(error: Exception) -> str:
    cause = getattr(error, "os_error", error)
    kinds: tuple[tuple[type[BaseException], str], ...] = (
        (RefusedAddressError, str(cause)),
        (socket.gaierror, "The host name cannot be looked up."),
        (TimeoutError, f"No answer came within {TIMEOUT_S} seconds."),
        (ssl.SSLCertVerificationError, "The certificate is not valid for this host."),
        (ssl.SSLError, "No TLS connection could be made."),
        (aiohttp.InvalidURL, "The URL cannot be used."),
        (aiohttp.ClientConnectorError, "No connection could be made."),
        (aiohttp.ServerDisconnectedError, "The connection was closed before an answer came."),
        (aiohttp.ClientOSError, "The connection was closed before an answer came."),
        (aiohttp.ClientResponseError, "What came back is no HTTP answer."),
    )
    for each in (cause, error):
        for kind, text in kinds:
            if isinstance(each, kind):
                return text
    return "The delivery could not be sent."
