"""The schema, brought up to date. Apart from the road to the database: Alembic would be a tenth of each web process."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text

from nanobanana.storage.database import translated

# Any number that nothing else on the same database locks.
_MIGRATION_LOCK = 0x4E_42_4D_49


def migrate(url: str, *, to: str = "head") -> None:
    """Brings the database to the newest schema and functions, or to that of a revision without functions. Safe when
    several processes do it at once.

    Raises DatabaseUnavailableError, with the server's own words as its cause.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with translated(), engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if to != "head":
            return
        for function in sorted((Path(__file__).parent / "functions").glob("*.sql")):
            connection.connection.cursor().execute(function.read_text().encode())
