"""`nanobanana doctor`: what an operator should know before somebody else notices."""

import typer


def doctor() -> None:
    """Say what is real, what stands in, and which plans lose money when they are fully used."""
    from nanobanana.cli.configuration import load_settings, one_sentence  # noqa: PLC0415  see main.py
    from nanobanana.cli.margins import margin_lines  # noqa: PLC0415  see main.py
    from nanobanana.cli.parts import parts  # noqa: PLC0415  see main.py

    settings = load_settings()
    with one_sentence():
        for name, what, hint in parts(settings):
            typer.echo(f"{name:<12}{what} {hint}".rstrip())
        for line in margin_lines(settings):
            typer.echo(line)
