"""A year of a member, for the benchmark `pages`."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from nanobanana.domain.images.names import new_name
from nanobanana.kit.ids import first_id_of

_YEAR = timedelta(days=365)


def fill(url: str, *, email: str, rows: int) -> None:
    """In the tables of a service that runs."""
    with psycopg.connect(url, autocommit=True) as connection:
        statements = Path(__file__).with_suffix(".sql").read_text().split("---\n")
        connection.execute("create temporary table ids (n bigint, id text, image_name text, at timestamptz)")
        with connection.cursor().copy("copy ids from stdin") as copy:
            for row in _ids(rows):
                copy.write_row(row)
        with connection.transaction():
            for statement in statements:
                connection.execute(statement, {"email": email})
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _ids(rows: int) -> Iterator[tuple[int, str, str, datetime]]:
    """In the order of time, which ends now; the latest are of today."""
    now = datetime.now(UTC)
    for n in range(rows):
        at = now - _YEAR * (1 - (n + 1) / rows)
        first = first_id_of("gen", int(at.timestamp() * 1000))
        id = first[:-8] + secrets.token_hex(4)
        yield n, id, new_name(id), at
