"""How soon pages begin to come to a member with 100,000 generations in a year, ten keys and 10,000 deliveries.

    ./nb bench pages [--rows 100000] [--requests 200] [--at-once 4] [--workers 1]

First bytes, one request after the other and then several at once, on connections that are kept. Aim: 95 of 100 in 50 ms.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from harness import Service, machine, running_sandbox, running_service
from pages_rows import fill
from rich.console import Console
from rich.table import Table

from nanobanana.settings import Settings
from nanobanana.storage.embedded.servers import running_servers

EMAIL, PASSWORD = "member@example.com", "wombat quince lantern"
AIM_MS = 50

FOR_EVERYBODY = [
    "/",
    "/try",
    "/register",
    "/login",
    "/forgot-password",
    "/status",
    "/docs",
    "/docs/reference/accounts",
]
FOR_MEMBERS = [
    "/dashboard",
    "/dashboard?days=90",
    "/gallery",
    "/gallery?status=failed",
    "/playground",
    "/webhooks",
    "/billing",
    "/billing/ledger",
    "/account",
    "/keys",
]


@dataclass(frozen=True)
class Answer:
    status: int
    bytes: int
    first_byte_ms: float


def main() -> None:
    options = _options()
    console = Console(width=120)
    with running_sandbox() as google, running_service(google=google, workers=options.workers) as service:
        cookie = _member(service)
        with running_servers(Settings(data_dir=service.data_dir)) as servers:
            began = time.perf_counter()
            fill(servers.database_url.get_secret_value(), email=EMAIL, rows=options.rows)
            console.print(f"{options.rows:,} generations made in {time.perf_counter() - began:.0f} s")
        console.print(_measured(service, cookie, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000, help="generations of the member")
    parser.add_argument("--requests", type=int, default=200, help="of each page")
    parser.add_argument("--at-once", type=int, default=4, help="callers of the second round")
    parser.add_argument("--workers", type=int, default=1, help="web processes")
    return parser.parse_args()


def _member(service: Service) -> str:
    """Signs up and logs in as a browser does. Gives the cookie."""
    form = urlencode({"email": EMAIL, "password": PASSWORD})
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": service.url}
    with _connected(service) as connection:
        account = f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}'
        connection.request("POST", "/v1/auth/register", account, {"Content-Type": "application/json"})
        connection.getresponse().read()
        connection.request("POST", "/login", form, kind)
        response = connection.getresponse()
        return response.headers["Set-Cookie"].partition(";")[0]


def _measured(service: Service, cookie: str, options: argparse.Namespace) -> Table:
    """With the CPU of each request, which says the same on a machine that is busy with other things."""
    table = Table(title=f"First bytes in ms, of {options.requests} requests ({machine()})")
    together = f"of {options.at_once}"
    columns = ("status", "bytes", "median", "p95", f"{together}: median", f"{together}: p95", "web CPU")
    for column in ("page", *columns, "PostgreSQL", f"≤ {AIM_MS}"):
        table.add_column(column, justify="left" if column == "page" else "right", no_wrap=True)
    for page in (*FOR_EVERYBODY, *FOR_MEMBERS):
        ask = partial(_ask, service, page, cookie if page in FOR_MEMBERS else "")
        table.add_row(page, *_figures(service, ask, options))
    return table


def _figures(
    service: Service, ask: Callable[[int], list[Answer]], options: argparse.Namespace
) -> Iterator[str]:
    ask(20)
    before = service.cpu_seconds()
    alone = ask(options.requests)
    after = service.cpu_seconds()
    with ThreadPoolExecutor(options.at_once) as callers:
        rounds = callers.map(ask, [options.requests // options.at_once] * options.at_once)
        together = [answer for answers in rounds for answer in answers]
    yield " ".join(sorted({str(answer.status) for answer in (*alone, *together)}))
    yield f"{alone[0].bytes:,}"
    for answers in (alone, together):
        yield f"{_median(answers):.1f}"
        yield f"{_p95(answers):.1f}"
    for process in ("web", "postgres"):
        yield f"{(after[process] - before[process]) * 1000 / options.requests:.1f}"
    yield "yes" if max(_p95(alone), _p95(together)) <= AIM_MS else "NO"


def _ask(service: Service, page: str, cookie: str, times: int) -> list[Answer]:
    with _connected(service) as connection:
        return [_answer(connection, page, cookie) for _ in range(times)]


def _answer(connection: HTTPConnection, page: str, cookie: str) -> Answer:
    began = time.perf_counter()
    connection.request(
        "GET", page, headers={"Cookie": cookie, "Accept": "text/html", "Accept-Encoding": "gzip"}
    )
    response = connection.getresponse()
    first_byte_ms = (time.perf_counter() - began) * 1000
    return Answer(status=response.status, bytes=len(response.read()), first_byte_ms=first_byte_ms)


@contextmanager
def _connected(service: Service) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def _median(answers: list[Answer]) -> float:
    return statistics.median(answer.first_byte_ms for answer in answers)


def _p95(answers: list[Answer]) -> float:
    return statistics.quantiles((answer.first_byte_ms for answer in answers), n=20)[-1]


if __name__ == "__main__":
    main()
