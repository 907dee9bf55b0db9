"""The pooled HTTP client, and reading a body within bounds."""

import asyncio

import aiohttp

from nanobanana import __version__

CONNECT_TIMEOUT_S = 10.0
# Between two pieces of a body that Google has already made, and charged for; hence generous.
IDLE_TIMEOUT_S = 30.0
# For the whole body: one that drips would hold its slot, and with seven others everybody's.
BODY_TIMEOUT_S = 120.0
# What aiohttp reads ahead of a caller who waits for its turn. With 256 KiB, aiohttp's default, a thousand waiting
# 2 MB answers took 750 MB; with 16 KiB 90 MB, at the same CPU time per body.
READ_AHEAD_BYTES = 16 * 1024


def open_http() -> aiohttp.ClientSession:
    """Open the client that all calls share; close it with `await session.close()`.

    There is no limit on connections because each waiting request holds one for up to minutes. Compression is refused:
    base64 of a JPEG does not shrink enough to pay for the CPU time. aiohttp sends a POST only once, whatever happens.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        headers={"User-Agent": f"nanobanana/{__version__}", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=READ_AHEAD_BYTES,
    )


async def read(response: aiohttp.ClientResponse, *, at_most: int) -> bytes:
    """Return the body, cut off shortly after `at_most` bytes; raises TimeoutError when it stops coming."""
    chunks: list[bytes] = []
    size = 0
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(BODY_TIMEOUT_S), asyncio.timeout(IDLE_TIMEOUT_S) as idle:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > at_most:
                break
            idle.reschedule(loop.time() + IDLE_TIMEOUT_S)
    return b"".join(chunks)
