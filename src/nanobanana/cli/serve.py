"""`nanobanana serve`: the whole service."""

import time
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one; else PORT, else 8000.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of web processes.")] = 1,
    jobs: Annotated[
        bool | None,
        typer.Option(
            "--jobs/--no-jobs",
            help="Work off queue and jobs too, or leave that to `worker`; else RUN_JOBS, else yes.",
        ),
    ] = None,
) -> None:
    """Start the service, with stand-ins for everything that no setting names."""
    began = time.monotonic()
    from nanobanana.cli.configuration import load_settings, one_sentence  # noqa: PLC0415  see main.py
    from nanobanana.cli.service import run_service  # noqa: PLC0415  see main.py

    settings = load_settings(host=host, port=port, run_jobs=jobs)
    with one_sentence():
        run_service(settings, workers=workers, began=began)
