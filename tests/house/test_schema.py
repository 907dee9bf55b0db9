import asyncio
from pathlib import Path

import procrastinate
import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from nanobanana.storage.migration import migrate
from nanobanana.storage.tables import metadata, webhooks


def test_the_migrations_bring_a_database_to_the_tables_as_written(database_url: str) -> None:
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool
    )
    with engine.connect() as connection:
        opts = {"compare_server_default": True, "include_object": _is_ours}
        context = MigrationContext.configure(connection, opts=opts)

        assert webhooks.metadata is metadata
        assert compare_metadata(context, metadata) == []


def _is_ours(thing: object, name: str, kind: str, *_: object) -> bool:
    return kind != "table" or not name.startswith("procrastinate_")


def test_the_job_queue_has_the_schema_of_the_library_as_installed() -> None:
    """When the library brings a newer one, a migration must apply it."""
    kept = Path("src/nanobanana/storage/migrations/procrastinate_3_10.sql")
    installed = Path(procrastinate.__file__).parent / "sql" / "schema.sql"

    assert kept.read_text() == installed.read_text()


async def test_many_processes_may_migrate_at_once(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")

        await asyncio.gather(*(asyncio.to_thread(migrate, database_url) for _ in range(5)))

        versions = connection.execute("select version_num from alembic_version").fetchall()
    assert len(versions) == 1
