"""What a refusal costs: CPU milliseconds of the service with its PostgreSQL and Valkey, for 429 (the hour is used up)
and 402 (the month is), in alternating batches of one run, beside an answer that needs nothing (`/healthz`).

    ./nb bench refuse [--refusals 3000] [--rounds 5] [--concurrency 16]
"""

import argparse
import asyncio
import statistics
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from harness import Service, ask, machine, running_sandbox, running_service
from rich.console import Console
from rich.progress import track
from rich.table import Table

AIMS_MS = {429: 0.4, 402: 0.9}
ORDER = {"prompt": "a banana on a beach"}


@dataclass(frozen=True)
class Kind:
    name: str
    service: Service
    method: str
    path: str
    status: int


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        google = stack.enter_context(running_sandbox())
        hour, month = (
            stack.enter_context(
                running_service(google=google, plans=Path(__file__).with_name(f"{plans}.toml"))
            )
            for plans in ("small_hour_plans", "small_month_plans")
        )
        for service in (hour, month):  # the one image that each plan allows
            ask(f"{service.url}/v1/generate", key=service.key, body=ORDER)
        kinds = [
            Kind("429", hour, "POST", "/v1/generate", 429),
            Kind("402", month, "POST", "/v1/generate", 402),
            Kind("healthz", hour, "GET", "/healthz", 200),
        ]
        for kind in kinds:
            _batch(kind, options)
        spent: dict[str, list[dict[str, float]]] = {kind.name: [] for kind in kinds}
        for _ in track(range(options.rounds), description=f"{options.rounds} rounds"):
            for kind in kinds:
                spent[kind.name].append(_batch(kind, options))
        _report(spent)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--refusals", type=int, default=3000, help="requests a batch")
    parser.add_argument("--rounds", type=int, default=5, help="measured batches of each kind")
    parser.add_argument("--concurrency", type=int, default=16)
    return parser.parse_args()


def _batch(kind: Kind, options: argparse.Namespace) -> dict[str, float]:
    """CPU milliseconds a request, by kind of process."""
    before = kind.service.cpu_seconds()
    asyncio.run(_refuse(kind, options.refusals, options.concurrency))
    after = kind.service.cpu_seconds()
    return {name: (after[name] - before.get(name, 0)) * 1000 / options.refusals for name in after}


async def _refuse(kind: Kind, refusals: int, concurrency: int) -> None:
    numbers = iter(range(refusals))
    headers = {"Authorization": f"Bearer {kind.service.key}"}
    body = ORDER if kind.method == "POST" else None
    statuses: Counter[int] = Counter()
    async with aiohttp.ClientSession(headers=headers) as http:

        async def work() -> None:
            for _ in numbers:
                async with http.request(kind.method, kind.service.url + kind.path, json=body) as response:
                    await response.read()  # all of it, or the connection could not be used again
                    statuses[response.status] += 1

        await asyncio.gather(*(work() for _ in range(concurrency)))
    # On a busy machine Redis may seem silent for a moment, and a process alone then grants the one image it may.
    assert statuses[kind.status] >= refusals - 1, statuses


def _report(spent: dict[str, list[dict[str, float]]]) -> None:
    table = Table(title=f"CPU milliseconds per refusal, medians ({machine()})")
    for column in ("", *next(iter(spent.values()))[0], "together", "from", "to"):
        table.add_column(column, justify="right")
    for name, rounds in spent.items():
        totals = [sum(of_round.values()) for of_round in rounds]
        parts = [statistics.median(of_round[process] for of_round in rounds) for process in rounds[0]]
        numbers = (*parts, statistics.median(totals), min(totals), max(totals))
        table.add_row(name, *(f"{number:.3f}" for number in numbers))
    console = Console()
    console.print(table)
    console.print("Aim: " + ", ".join(f"{status} under {aim} ms" for status, aim in AIMS_MS.items()) + ".")


if __name__ == "__main__":
    main()
