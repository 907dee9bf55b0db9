"""Alembic's entry: runs on the connection, and in the transaction, that `storage.migration.migrate` opened."""

from alembic import context

from nanobanana.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
)
context.run_migrations()
