"""Turns what an operator can mend into a sentence and an exit code, never into a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError

from nanobanana.errors import NanoBananaError
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.settings import Settings
from nanobanana.storage.embedded.errors import EmbeddedServerError


class StartError(Exception):
    """The service cannot start; the message is a sentence for the operator."""


def load_settings(**overrides: Any) -> Settings:
    """The settings, `overrides` that are not None before the environment. Ends with 2, listing all that is wrong."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = [_sentence(problem) for problem in error.errors(include_input=False, include_url=False)]
    except OSError as error:  # a NAME_FILE
        problems = [f"cannot read {error.filename}: {error.strerror}"]
    for problem in problems:
        typer.echo(f"Configuration: {problem}", err=True)
    raise typer.Exit(2)


@contextmanager
def one_sentence() -> Iterator[None]:
    try:
        yield
    except (StartError, EmbeddedServerError) as error:
        typer.echo(str(error), err=True)
    except StoreError as error:
        typer.echo(f"The store of pictures fails: {error}", err=True)
    except NanoBananaError as error:
        typer.echo(f"{error.message}\n{error.__cause__ or ''}".rstrip(), err=True)
    except PermissionError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename} belongs to another user, or is closed to this one.", err=True)
    else:
        return
    raise typer.Exit(1)


def _sentence(problem: Any) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    message = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message
