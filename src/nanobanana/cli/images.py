"""`nanobanana images`: whether pictures are where their rows say, and the move of all of them to another store."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(help="Look after the pictures that are kept.", no_args_is_help=True)

# As shells have it of a command that Ctrl-C has ended.
_INTERRUPTED = 130


class Store(StrEnum):
    local = "local"
    s3 = "s3"


@app.command(epilog="Ends with 1 when it finds anything. Changes nothing; safe at any time, under load too.")
def verify(
    *,
    read: Annotated[bool, typer.Option("--read", help="Decode every picture, which takes long.")] = False,
) -> None:
    """Hold rows and files against each other, both ways."""
    from nanobanana.cli.configuration import load_settings  # noqa: PLC0415  see main.py
    from nanobanana.cli.picture_check import check_pictures  # noqa: PLC0415  see main.py

    settings = load_settings()
    if settings.image_store == "none":
        typer.echo("IMAGE_STORE=none: there is no store to look into.", err=True)
        raise typer.Exit(2)
    _end(lambda: check_pictures(settings, read=read), interrupted="Stopped before the end.")


@app.command(
    epilog="Can be stopped and run again at any time. Ends with 1 when a picture could not be copied."
)
def move(
    to: Annotated[Store, typer.Option("--to", help="Where the pictures are to be.")],
    *,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Read what is there already too, and replace what is broken.")
    ] = False,
) -> None:
    """Copy all pictures to another store; what is where they are now stays."""
    from nanobanana.cli.configuration import load_settings  # noqa: PLC0415  see main.py
    from nanobanana.cli.picture_move import move_pictures  # noqa: PLC0415  see main.py

    # The bucket's settings are complete, or the command ends here.
    settings = load_settings(image_store="s3")
    _end(
        lambda: move_pictures(settings, to=to.value, recheck=recheck),
        interrupted="Stopped. Run it again to go on from here.",
    )


def _end(work: Callable[[], bool], *, interrupted: str) -> None:
    """With 0 when `work` says that all is well."""
    try:
        is_well = work()
    except KeyboardInterrupt:
        typer.echo(interrupted, err=True)
        raise typer.Exit(_INTERRUPTED) from None
    raise typer.Exit(0 if is_well else 1)
