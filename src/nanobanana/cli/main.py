"""The command line: `nanobanana COMMAND`, or `./nb COMMAND` in a checkout. One file per command.

Commands import what they need when they run, so that --help is quick.
"""

import typer

from nanobanana import __version__
from nanobanana.cli import admin, db, doctor, images, serve, worker

# Pretty tracebacks would print local variables, secrets among them.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(doctor.doctor)
app.add_typer(db.app, name="db")
app.add_typer(admin.app, name="admin")
app.add_typer(images.app, name="images")


def main() -> None:
    app(prog_name="nanobanana")


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version."),  # noqa: FBT001, FBT003  typer's shape of a flag
) -> None:
    """AI image generation through a dead-simple API."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
