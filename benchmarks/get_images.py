"""Asks a server for pictures again and again: URL, file of paths, seconds, how many at once."""

import asyncio
import itertools
import sys
import time
from pathlib import Path

import aiohttp
import uvloop


async def main(url: str, paths: list[str], seconds: float, concurrency: int) -> None:
    wanted, answered = itertools.cycle(paths), 0
    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def work() -> None:
            nonlocal answered
            while time.perf_counter() - began < seconds:
                async with http.get(url + next(wanted)) as response:
                    response.raise_for_status()
                    async for _ in response.content.iter_any():
                        pass
                answered += 1

        await asyncio.gather(*(work() for _ in range(concurrency)))
    print(answered, time.perf_counter() - began)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2]).read_text().split(), float(sys.argv[3]), int(sys.argv[4])))
