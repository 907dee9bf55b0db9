"""What a year of rows costs: admit and settle with 10 million generations beside 10 thousand, and GET /v1/usage.

    ./nb bench scale [--rows 10000000] [--images 2000] [--rounds 5] [--plans] [--reconcile] [--keep DIRECTORY]

Two databases of one embedded PostgreSQL, of 1,000 accounts with ten keys each, in alternating batches, over one
connection each as the service uses it. 10 million take 12 GB of disk and some ten minutes to make.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
from harness import machine, running_sandbox, running_service
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scale_plans import print_plans
from scale_rows import filled

from nanobanana.domain.api_keys.rules import hash_key, new_key
from nanobanana.domain.api_keys.types import Bearer
from nanobanana.domain.billing.service import Billing
from nanobanana.domain.generation import repository
from nanobanana.domain.generation.types import Made, Order
from nanobanana.domain.images.names import new_name
from nanobanana.kit.ids import new_id
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.embedded.servers import running_servers

FEW = 10_000
SECRET = "a secret of this benchmark"
ORDER = Order(
    prompt="A cute banana wearing sunglasses on a beach", size="1024x1024", style="natural", format=None
)
MADE = Made(
    image_format="png",
    image_bytes=1_500_000,
    image_place="store",
    model="gemini-nano-banana-2.1",
    input_tokens=12,
    output_tokens=1290,
    cost_micro_usd=38_700,
)
Times = dict[str, list[float]]
console = Console()


def main() -> None:
    options = _options()
    with _server(options.keep) as server:
        few = filled(server, f"rows_{FEW}", FEW)
        many = filled(server, f"rows_{options.rows}", options.rows)
        asyncio.run(_admit_and_settle(few, many, options))
        _usage(many)
        if options.plans:
            asyncio.run(print_plans(many, lambda database: _image(database, defaultdict(list))))
        if options.reconcile:
            asyncio.run(_reconcile(many))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="generations in the large database")
    parser.add_argument("--images", type=int, default=2000, help="admitted and settled a batch")
    parser.add_argument("--rounds", type=int, default=5, help="measured batches of each database")
    parser.add_argument("--plans", action="store_true", help="show what PostgreSQL does in both functions")
    parser.add_argument("--reconcile", action="store_true", help="hold all records of the large one together")
    parser.add_argument("--keep", type=Path, help="keep the databases there, and use those that are there")
    return parser.parse_args()


@contextmanager
def _server(keep: Path | None) -> Iterator[str]:
    """The address of an embedded PostgreSQL with the settings that it has under the service."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nanobanana-bench-")))
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        settings = Settings(data_dir=folder / "data", redis_url="redis://not-asked.invalid")
        yield stack.enter_context(running_servers(settings)).database_url.get_secret_value()


async def _admit_and_settle(few: str, many: str, options: argparse.Namespace) -> None:
    databases = [Database(url, size=1) for url in (few, many)]
    times: list[Times] = [defaultdict(list), defaultdict(list)]
    for database in databases:
        await database.open()
        await _batch(database, 200, defaultdict(list))
    for _ in track(
        range(options.rounds), description=f"{options.rounds} rounds of 2 x {options.images} images"
    ):
        for database, measured in zip(databases, times, strict=True):
            await _batch(database, options.images, measured)
    for database in databases:
        await database.close()
    _report(times, options.rows)


async def _batch(database: Database, images: int, times: Times) -> None:
    [process] = await database.statement("select pg_backend_pid() as id", {})
    before = _nanoseconds(process["id"])
    for _ in range(images):
        await _image(database, times)
    times["CPU of PostgreSQL"].append((_nanoseconds(process["id"]) - before) / 1e6 / images)


async def _image(database: Database, times: Times) -> None:
    began = time.perf_counter()
    id = new_id("gen")
    admission = await repository.admit(
        database,
        id=id,
        image_name=new_name(id),
        # Not of the first key, which _usage gives another text.
        bearer=_bearer(random.randrange(1, 10_000)),
        client_address=ip_address("127.0.0.1"),
        order=ORDER,
        idempotency=None,
        free_images_per_day=1_000_000_000,
        queue_max_length=None,
    )
    admitted = time.perf_counter()
    settled = await repository.settle(database, admission.admitted, MADE, refusals_per_day=50)
    assert settled.state == "succeeded"
    times["admit"].append((admitted - began) * 1000)
    times["settle"].append((time.perf_counter() - admitted) * 1000)


def _bearer(number: int) -> Bearer:
    return Bearer(
        api_key_id=f"key_{number:022}",
        account_id=f"acc_{number // 10:022}",
        mode="live",
        key_hash=sha256(str(number).encode()).digest(),
        key_images_per_hour=None,
        plan_images_per_hour=None,
        plan_images_in_flight=None,
        month_images=0,
        month_limit=None,
    )


def _nanoseconds(pid: int) -> int:
    """That the process has run so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def _report(times: list[Times], rows: int) -> None:
    table = Table(title=f"Medians, in milliseconds an image ({machine()})")
    for column in ("", f"{FEW:,}", f"{rows:,}", "ratio"):
        table.add_column(column, justify="right")
    for name in ("admit", "settle", "CPU of PostgreSQL"):
        few, many = (statistics.median(of_one[name]) for of_one in times)
        table.add_row(name, f"{few:.3f}", f"{many:.3f}", f"{many / few:.2f}")
    console.print(table)
    console.print("Aim: ratios at most 1.3.")


def _usage(url: str) -> None:
    """As a client sees it, of an account with a year of days and ten keys."""
    key = new_key("live")
    with psycopg.connect(url) as connection:
        connection.execute(
            "update api_keys set hash = %s where id = %s", [hash_key(key, SECRET), _bearer(0).api_key_id]
        )
    os.environ |= {"DATABASE_URL": url, "SECRET_KEY": SECRET}
    today = datetime.now(UTC).date()
    with running_sandbox() as google, running_service(google=google) as service:
        for what, days in (("a month", 30), ("a year", 365)):
            request = Request(
                f"{service.url}/v1/usage?from={today - timedelta(days)}",
                headers={"Authorization": f"Bearer {key}"},
            )
            milliseconds = sorted(_milliseconds(request) for _ in range(220))
            console.print(
                f"GET /v1/usage of {what}: median {milliseconds[110]:.1f} ms, p95 {milliseconds[208]:.1f} ms. "
                "Aim: under 20 ms."
            )


def _milliseconds(request: Request) -> float:
    began = time.perf_counter()
    with urlopen(request) as response:
        response.read()
    return (time.perf_counter() - began) * 1000


async def _reconcile(url: str) -> None:
    database = Database(url, size=1)
    await database.open()
    began = time.perf_counter()
    differences = await Billing(database).reconcile()
    console.print(f"Reconciliation: {time.perf_counter() - began:.0f} s, {len(differences)} differences.")
    await database.close()


if __name__ == "__main__":
    main()
