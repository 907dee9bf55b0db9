"""What a bucket costs: CPU milliseconds per image with S3 beside the local folder, in alternating batches of one run.
moto is the S3, in a process of its own that is not counted; it speaks http, so that pictures are hashed, as TLS would.

    ./nb bench store [--images 200] [--rounds 3] [--concurrency 16]
"""

import argparse
import statistics
import sys
from pathlib import Path

from generate import PROMPT, batch
from harness import ask, machine, running_sandbox, running_service
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.append(str(Path(__file__).resolve().parents[1]))

from tests.s3_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, make_bucket, running_s3

_BUCKET = "pictures"


def main() -> None:
    options = _options()
    spent: dict[str, list[dict[str, float]]] = {"folder": [], "s3": []}
    with (
        running_sandbox("--thought-signature-bytes", "0") as google,
        running_s3() as s3,
        running_service(google=google) as folder,
        running_service(google=google, **_settings(s3)) as bucket,
    ):
        services = {"folder": folder, "s3": bucket}
        for service in services.values():
            ask(f"{service.url}/v1/generate", key=service.key, body={"prompt": PROMPT})
            batch(service, options)
        for _ in track(
            range(options.rounds), description=f"{options.rounds} rounds of 2 x {options.images} images"
        ):
            for name, service in services.items():
                cpu, _ = batch(service, options)
                spent[name].append({part: s * 1000 / options.images for part, s in cpu.items()})
    _report(spent)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200, help="images a batch; moto keeps all in memory")
    parser.add_argument("--rounds", type=int, default=3, help="measured batches of each kind")
    parser.add_argument("--concurrency", type=int, default=16)
    return parser.parse_args()


def _settings(s3: str) -> dict[str, str]:
    make_bucket(s3, _BUCKET)
    return {
        "R2_ENDPOINT": s3,
        "R2_BUCKET": _BUCKET,
        "R2_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "R2_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }


def _report(spent: dict[str, list[dict[str, float]]]) -> None:
    rounds = len(spent["s3"])
    table = Table(title=f"CPU milliseconds per image ({machine()})")
    for column in ("", *(f"round {number + 1}" for number in range(rounds)), "median"):
        table.add_column(column, justify="right")
    totals = {name: [sum(cpu.values()) for cpu in batches] for name, batches in spent.items()}
    for name, batches in spent.items():
        _row(table, f"{name}, web process", [cpu["web"] for cpu in batches])
        _row(table, f"{name}, whole service", totals[name])
        table.add_section()
    _row(table, "ratio", [s3 / folder for s3, folder in zip(totals["s3"], totals["folder"], strict=True)])
    Console().print(table)


def _row(table: Table, name: str, values: list[float]) -> None:
    table.add_row(name, *(f"{value:.2f}" for value in values), f"{statistics.median(values):.2f}")


if __name__ == "__main__":
    main()
