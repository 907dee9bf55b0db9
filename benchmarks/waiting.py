"""Many callers waiting at once for a slow Google, whose answers then arrive together: how much memory that takes.

./nb bench waiting [--requests 1000] [--latency 10] [--workers 1]
"""

import argparse
import asyncio
import time
from collections import Counter

import aiohttp
from harness import machine, running_sandbox, running_service
from rich.console import Console

PROMPT = "a banana on a beach [sandbox:png] [sandbox:bytes=1500000]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=10, help="seconds that Google takes")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    with (
        running_sandbox("--thought-signature-bytes", "0", "--latency", str(options.latency)) as google,
        running_service(google=google, workers=options.workers) as service,
    ):
        asyncio.run(_ask_at_once(service.url, service.key, 1))
        idle = service.web_rss_mb()
        console.print(f"{options.requests} requests at once, {options.latency} s each ({machine()}) ...")
        started = time.perf_counter()
        statuses = asyncio.run(_ask_at_once(service.url, service.key, options.requests))
        seconds = time.perf_counter() - started
        console.print(f"Answers: {dict(statuses)} after {seconds:.1f} s")
        console.print(
            f"RSS of the largest web process: {idle:.0f} MB idle, {service.web_rss_mb(peak=True):.0f} MB peak"
        )
        files = sum(1 for file in (service.data_dir / "images").rglob("*.png"))
        console.print(f"Pictures in the store: {files}")


async def _ask_at_once(url: str, key: str, requests: int) -> Counter:
    timeout = aiohttp.ClientTimeout(total=180)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:

        async def one() -> int:
            headers = {"Authorization": f"Bearer {key}", "Prefer": "wait=90"}
            async with http.post(f"{url}/v1/generate", json={"prompt": PROMPT}, headers=headers) as response:
                await response.read()
                return response.status

        return Counter(await asyncio.gather(*(one() for _ in range(requests))))


if __name__ == "__main__":
    main()
