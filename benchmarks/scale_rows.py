"""Fills a database for the benchmark `scale`."""

from pathlib import Path

import psycopg
from rich.progress import Progress

from nanobanana.storage.migration import migrate

_BATCH = 100_000
_TABLES = ("generations", "ledger", "usage_days", "account_months", "key_months", "idempotency_keys")


def filled(server: str, name: str, rows: int) -> str:
    """The address of the database of that name; it is made when it is not there."""
    url = server.replace("/nanobanana?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            migrate(url)
            return url
        connection.execute(f"create database {name}")
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection, Progress() as progress:
        _fill(connection, rows, progress, progress.add_task(f"{rows:,} generations", total=rows))
    return url


def _fill(connection: psycopg.Connection, rows: int, progress: Progress, task: int) -> None:
    """In one transaction on tables emptied in it, which keeps it out of the write-ahead log. Foreign keys are not
    looked at, and indices are made when the rows are there."""
    connection.execute(
        "set session_replication_role = replica; set maintenance_work_mem = '1GB'; set work_mem = '512MB'"
    )
    connection.execute(Path(__file__).with_suffix(".sql").read_text())
    with connection.transaction():
        connection.execute(f"truncate {', '.join(_TABLES)}")
        connection.execute(
            "update pg_index set indisready = false where indrelid = any(%s::regclass[])", [list(_TABLES)]
        )
        connection.execute("select bench.people()")
        for first in range(0, rows, _BATCH):
            last = min(first + _BATCH, rows) - 1
            connection.execute("select bench.generations(%s, %s, %s)", [first, last, rows])
            progress.update(task, completed=last)
        progress.update(task, description="Sums")
        connection.execute("select bench.sums()")
        progress.update(task, description="Indices")
        for table in _TABLES:
            connection.execute(f"reindex table {table}")
    progress.update(task, description="Vacuum, analyze, checkpoint")
    connection.execute("vacuum analyze")
    connection.execute("checkpoint")
    progress.update(task, description=f"{rows:,} generations", completed=rows)
