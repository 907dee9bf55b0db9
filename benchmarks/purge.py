"""How fast expired pictures are purged, and that a kill in the middle leaves nothing behind and takes nothing that lives.

./nb bench purge [--rows 1000000] [--files 20000] [--living 1000]

A database with that many expired rows and a folder with some of their files, evenly among them, beside living rows that
all have theirs. A process that purges is killed at half way; another begins where it was. One core and some 1 GB of disk.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from harness import machine
from rich.console import Console
from rich.progress import Progress, TaskID, track
from rich.table import Table

from nanobanana.domain.images.service import Images
from nanobanana.domain.images.waiting_room import WaitingRoom
from nanobanana.domain.retention.purge import Purge
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.embedded.servers import running_servers
from nanobanana.storage.migration import migrate

# A picture a second has expired, so that the oldest one left tells how far the purge is.
ROWS = """
    insert into plans values ('free', 0, 0, null, null, null, 30, true);
    insert into accounts (id, email, email_folded, password_hash, plan)
    values ('acc_0', 'a@example.com', 'a@example.com', 'none', 'free');
    insert into api_keys (id, account_id, mode, name, hash, last4) values ('key_0', 'acc_0', 'live', 'k', '', 'none');
    create function fill(rows bigint, living bigint) returns void language sql as $$
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt, finished_at,
                                 image_name, image_state, image_format, image_bytes, image_place, retention_s, expires_at)
        select 'gen_' || lpad(n::text, 22, '0'), 'acc_0', 'key_0', 'live',
               'A cute banana wearing sunglasses on a beach, number ' || n, '1024x1024', 'natural', 'succeeded', 1, at,
               to_char(at, 'YYYY/MM/DD/') || substr(md5(n::text), 1, 30), 'kept', 'png', 1024, 'store', 2592000,
               -- Those that live have an hour left, or for good.
               case when n <= rows then a.created_at - (rows - n) * interval '1 s' when n % 2 = 0 then now() + interval '1 hour' end
        from accounts a, generate_series(1, rows + living) n, lateral (select now() - interval '60 days' + n * interval '1 s' as at) x
    $$;
"""
# How many of the rows have gone. From where it was last: what is gone stands in the index until a vacuum.
DONE = """
    select coalesce(
        %(rows)s - 1 - extract(epoch from a.created_at - (
            select min(expires_at) from generations
            where image_place is not null and expires_at <= a.created_at
                  and expires_at > a.created_at - (%(rows)s - %(before)s) * interval '1 s'
        ))::bigint, %(rows)s)
    from accounts a
"""


@dataclass
class Run:
    """One process that purged."""

    seconds: float = 0
    rows: int = 0
    first_mb: float = 0
    peak_mb: float = 0


def main() -> None:
    options = _options()
    if options.purge:
        asyncio.run(_purge(*options.purge))
        return
    console = Console(soft_wrap=True)
    console.print(machine())
    with _server() as (url, folder):
        living = _fill(url, folder, options)
        with Progress(console=console) as progress:
            task = progress.add_task("Purge", total=options.rows)
            killed = _run(url, folder, options, progress, task, until=options.rows // 2)
            _a_minute_later(url)
            other = _run(url, folder, options, progress, task, until=None)
        _report(console, {"killed half way": killed, "the next one": other})
        _audit(console, url, folder, living)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="expired generations")
    parser.add_argument("--files", type=int, default=20_000, help="of them that have a file")
    parser.add_argument("--living", type=int, default=1_000, help="generations that are not expired")
    parser.add_argument("--purge", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    return parser.parse_args()


async def _purge(url: str, folder: str) -> None:
    """As every process of the service does it."""
    database = Database(url)
    await database.open()
    images = Images(LocalFolder(Path(folder)), waiting=WaitingRoom(database, max_bytes=1))
    await Purge(database, images=images).purge()
    await database.close()


@contextmanager
def _server() -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="nanobanana-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = Settings(data_dir=folder / "data", redis_url="redis://not-asked.invalid")
        with running_servers(settings) as complete:
            yield complete.database_url.get_secret_value(), folder / "images"


def _fill(url: str, folder: Path, options: argparse.Namespace) -> set[str]:
    """Gives the names of the files that live."""
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ROWS)
        connection.execute("select fill(%s, %s)", [options.rows, options.living])
        connection.execute("vacuum analyze generations")
        every = max(1, options.rows // options.files)
        named = connection.execute(
            "select image_name || '.png', id > %s from generations where right(id, 12)::bigint %% %s = 0 or id > %s",
            [last := f"gen_{options.rows:022}", every, last],
        ).fetchall()
    for name, _ in track(named, description=f"{len(named):,} files"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 1024)
    return {name for name, lives in named if lives}


def _run(
    url: str,
    folder: Path,
    options: argparse.Namespace,
    progress: Progress,
    task: TaskID,
    *,
    until: int | None,
) -> Run:
    """One process, killed when that many rows are purged."""
    run = Run()
    with psycopg.connect(url, autocommit=True) as connection:
        before = done = _done(connection, options.rows, before=0)
        process = subprocess.Popen([sys.executable, __file__, "--purge", url, str(folder)])
        began = None
        while process.poll() is None and (until is None or done < until):
            time.sleep(0.1)
            if (done := _done(connection, options.rows, done)) > before and began is None:
                began, before = time.perf_counter(), done
                run.first_mb = _rss_mb(process.pid)
            run.peak_mb = max(run.peak_mb, _rss_mb(process.pid))
            progress.update(task, completed=done)
        process.kill()
        if process.wait() != (0 if until is None else -9):
            sys.exit(f"The purge ended with {process.returncode}.")
        run.rows, run.seconds = done - before, time.perf_counter() - (began or 0)
    return run


def _done(connection: psycopg.Connection, rows: int, before: int) -> int:
    [done] = connection.execute(DONE, {"rows": rows, "before": before}).fetchone()
    return done


def _rss_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0


def _a_minute_later(url: str) -> None:
    """What the killed one had claimed is free for others."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "update generations set not_before = not_before - interval '1 minute' where not_before is not null"
        )


def _report(console: Console, runs: dict[str, Run]) -> None:
    table = Table("process", "rows", "rows/s", "RSS at its first batch, MB", "at most, MB")
    for name, run in runs.items():
        rate = run.rows / run.seconds
        table.add_row(name, f"{run.rows:,}", f"{rate:,.0f}", f"{run.first_mb:.0f}", f"{run.peak_mb:.0f}")
    console.print(table)


def _audit(console: Console, url: str, folder: Path, living: set[str]) -> None:
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    with psycopg.connect(url) as connection:
        [unpurged, wrong] = connection.execute(
            """
            select count(*) filter (where image_place is not null or image_state = 'kept' or prompt <> ''),
                   (select count(*) from generations
                    where (expires_at is null or expires_at > now())
                          and (image_place is null or image_state <> 'kept' or prompt = ''))
            from generations where expires_at <= now()
            """
        ).fetchone()
    console.print(
        f"Files of living rows gone: {len(living - files):,}; files of expired ones left: {len(files - living):,}; "
        f"expired rows left: {unpurged:,}; living rows changed: {wrong:,}"
    )
    if files != living or unpurged or wrong:
        sys.exit("The purge is not what it should be.")


if __name__ == "__main__":
    main()
