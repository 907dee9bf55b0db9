"""What one image costs: CPU milliseconds of the service with its PostgreSQL and Valkey, beside a bare loop that only
fetches, decodes and writes a file. Both warmed, in alternating batches of one run; ratios are what to trust.

    ./nb bench generate [--images 400] [--rounds 3] [--concurrency 16]
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from harness import MALLOC, Service, ask, machine, running_sandbox, running_service
from rich.console import Console
from rich.progress import track
from rich.table import Table

# A PNG at native size of about 1.5 MB, the same each time so that the sandbox need not draw it again.
PROMPT = "a banana on a beach [sandbox:png] [sandbox:bytes=1500000]"


def main() -> None:
    options = _options()
    with (
        running_sandbox("--thought-signature-bytes", "0") as google,
        running_service(google=google) as service,
        _bare_loop(google, options.concurrency) as bare,
    ):
        ask(f"{service.url}/v1/generate", key=service.key, body={"prompt": PROMPT})
        bare(options.images)
        batch(service, options)
        bares, services, seconds = [], [], []
        for _ in track(
            range(options.rounds), description=f"{options.rounds} rounds of 2 x {options.images} images"
        ):
            bares.append(bare(options.images) * 1000 / options.images)
            cpu, wall = batch(service, options)
            services.append({name: spent * 1000 / options.images for name, spent in cpu.items()})
            seconds.append(wall)
        _report(service, bares, services, images_per_second=options.images / statistics.median(seconds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=400, help="images a batch")
    parser.add_argument("--rounds", type=int, default=3, help="measured batches of each kind")
    parser.add_argument("--concurrency", type=int, default=16)
    return parser.parse_args()


@contextmanager
def _bare_loop(google: str, concurrency: int) -> Iterator:
    command = [
        sys.executable,
        str(Path(__file__).with_name("bare_loop.py")),
        google,
        PROMPT,
        str(concurrency),
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, **MALLOC},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )

    def batch(images: int) -> float:
        process.stdin.write(f"{images}\n")
        return float(process.stdout.readline())

    yield batch
    process.stdin.close()
    process.wait()


def batch(service: Service, options: argparse.Namespace) -> tuple[dict[str, float], float]:
    before, started = service.cpu_seconds(), time.perf_counter()
    asyncio.run(_generate(service, options.images, options.concurrency))
    after, seconds = service.cpu_seconds(), time.perf_counter() - started
    service.empty_images()
    return {name: after[name] - before.get(name, 0) for name in after}, seconds


async def _generate(service: Service, images: int, concurrency: int) -> None:
    numbers = iter(range(images))
    headers = {"Authorization": f"Bearer {service.key}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as http:

        async def work() -> None:
            for _ in numbers:
                async with http.post(f"{service.url}/v1/generate", json={"prompt": PROMPT}) as response:
                    answer = await response.read()  # all of it, or the connection could not be used again
                    assert response.status == 200, answer

        await asyncio.gather(*(work() for _ in range(concurrency)))


def _report(
    service: Service, bares: list[float], services: list[dict[str, float]], *, images_per_second: float
) -> None:
    console = Console()
    table = Table(title=f"CPU milliseconds per image ({machine()})")
    for column in ("", *(f"round {number + 1}" for number in range(len(bares))), "median"):
        table.add_column(column, justify="right")
    for name in services[0]:
        _row(table, name, [spent[name] for spent in services])
    totals = [sum(spent.values()) for spent in services]
    table.add_section()
    _row(table, "service", totals)
    _row(table, "bare loop", bares)
    _row(table, "ratio", [total / bare for total, bare in zip(totals, bares, strict=True)])
    _row(table, "above", [total - bare for total, bare in zip(totals, bares, strict=True)])
    console.print(table)
    console.print(f"Aim: ratio at most 2.5 and at most 3.0 ms above. {images_per_second:.0f} images/s.")
    pss = ", ".join(f"{name} {size:.0f}" for name, size in service.pss_mb().items())
    console.print(
        f"RSS of the web process {service.web_rss_mb():.0f} MB, at its peak {service.web_rss_mb(peak=True):.0f} MB. "
        f"PSS in MB: {pss}, together {sum(service.pss_mb().values()):.0f}."
    )


def _row(table: Table, name: str, values: list[float]) -> None:
    table.add_row(name, *(f"{value:.2f}" for value in values), f"{statistics.median(values):.2f}")


if __name__ == "__main__":
    main()
