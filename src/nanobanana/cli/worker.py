"""`nanobanana worker`: queue and jobs, apart from the web processes."""

import os

import typer


def worker() -> None:
    """Make waiting images and run jobs, as `serve` does itself unless it is told --no-jobs."""
    import uvloop  # noqa: PLC0415  see main.py

    from nanobanana.cli.child_environment import child_environment, metrics_dir  # noqa: PLC0415  see main.py
    from nanobanana.cli.configuration import load_settings, one_sentence  # noqa: PLC0415  see main.py
    from nanobanana.cli.sandbox import sandbox  # noqa: PLC0415  see main.py
    from nanobanana.settings import Settings  # noqa: PLC0415  see main.py
    from nanobanana.storage.embedded.places import make_data_dir  # noqa: PLC0415  see main.py
    from nanobanana.storage.embedded.servers import running_servers  # noqa: PLC0415  see main.py
    from nanobanana.storage.migration import migrate  # noqa: PLC0415  see main.py

    settings = load_settings(run_jobs=True)
    with one_sentence():
        settings = settings.model_copy(update={"data_dir": make_data_dir(settings.data_dir)})
        with running_servers(settings) as complete, sandbox(complete) as sandbox_url:
            assert complete.database_url is not None  # noqa: S101  what running_servers promises
            migrate(complete.database_url.get_secret_value())
            metrics_dir(settings.data_dir).mkdir(mode=0o700, exist_ok=True)
            known = complete.model_copy(update={"sandbox_url": sandbox_url})
            # The same that a web process finds, and before anything is imported that counts.
            os.environ.update(child_environment(known, workers=known.web_processes))
            from nanobanana.worker.process import work  # noqa: PLC0415  see above

            uvloop.run(work(Settings(), when_ready=_announce))


def _announce() -> None:
    typer.echo("Working off queue and jobs. Ctrl-C ends it.")
