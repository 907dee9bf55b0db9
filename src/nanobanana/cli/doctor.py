"""`nanobanana doctor`: what an operator should know before somebody else notices."""

import typer


def doctor() -> None:
    """Say what is real, what stands in, whether the store takes pictures, and which plans lose money when they are fully
    used. Ends with 1 when the store fails."""
    from nanobanana.cli.configuration import load_settings, one_sentence  # noqa: PLC0415  see main.py
    from nanobanana.cli.margins import margin_lines  # noqa: PLC0415  see main.py
    from nanobanana.cli.parts import parts  # noqa: PLC0415  see main.py
    from nanobanana.cli.store_check import store_line  # noqa: PLC0415  see main.py

    settings = load_settings()
    with one_sentence():
        for name, what, hint in parts(settings):
            typer.echo(f"{name:<12}{what} {hint}".rstrip())
        line, store_is_well = store_line(settings)
        if line:
            typer.echo(f"{'':<12}{line}", err=not store_is_well)
        for line in margin_lines(settings):
            typer.echo(line)
    if not store_is_well:
        raise typer.Exit(1)
