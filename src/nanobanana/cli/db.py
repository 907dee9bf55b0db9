"""`nanobanana db`: the database's schema."""

import typer

app = typer.Typer(help="Look after the database.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `upgrade` a command of its own while it is the only one."""


@app.command()
def upgrade() -> None:
    """Bring the database to the newest schema; safe at any time, and done by serve as well."""
    from nanobanana.cli.configuration import load_settings, one_sentence  # noqa: PLC0415  see main.py
    from nanobanana.storage.embedded.servers import running_servers  # noqa: PLC0415  see main.py
    from nanobanana.storage.migration import migrate  # noqa: PLC0415  see main.py

    settings = load_settings()
    with one_sentence(), running_servers(settings) as complete:
        assert complete.database_url is not None  # noqa: S101  what running_servers promises
        migrate(complete.database_url.get_secret_value())
    typer.echo("The database has the newest schema.")
