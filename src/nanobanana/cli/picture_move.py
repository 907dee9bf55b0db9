"""What `nanobanana images move` shows."""

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import Progress

from nanobanana.cli.database_command import with_database
from nanobanana.cli.progress import progress_bar
from nanobanana.domain.inventory.move import Move
from nanobanana.domain.inventory.types import Failure, Moved
from nanobanana.image_stores import LEISURE_S, StoreName, open_store
from nanobanana.settings import Settings
from nanobanana.storage.database import Database

_CONNECTIONS = 4


def move_pictures(settings: Settings, *, to: StoreName, recheck: bool) -> bool:
    """Whether all are there. `settings` name a bucket."""
    source, target = (open_store(settings, name, patience_s=LEISURE_S) for name in (_other(to), to))
    moved = Moved()

    async def move(database: Database) -> None:
        job = Move(database, source=source, target=target, recheck=recheck)
        pictures, size = await job.size()
        with progress_bar() as progress:
            task = progress.add_task(f"Pictures ({decimal(size)})", total=pictures)
            async for failures in job.run(moved):
                progress.update(task, completed=moved.pictures, total=max(pictures, moved.pictures))
                _show(failures, progress)

    with_database(settings, move, connections=_CONNECTIONS)
    _say(settings, moved, to=to)
    return not moved.failed


def _other(store: StoreName) -> StoreName:
    return "local" if store == "s3" else "s3"


def _show(failures: list[Failure], progress: Progress) -> None:
    for failure in failures:
        progress.print(f"{escape(failure.name)} {escape(failure.reason)}", soft_wrap=True)


def _say(settings: Settings, moved: Moved, *, to: StoreName) -> None:
    typer.echo(
        f"{moved.copied:,} pictures were copied ({decimal(moved.bytes)}, each read back and compared), "
        f"{moved.there_before:,} were there before, {moved.gone:,} were deleted meanwhile. "
        f"{moved.removed:,} files of pictures that no longer are were deleted there."
    )
    if moved.failed:
        typer.echo(f"{moved.failed:,} could not be copied; they are named above. Run it again.", err=True)
        return
    source = {
        "local": f"delete the folder {settings.image_dir}",
        "s3": f"empty the bucket {settings.r2_bucket}",
    }
    typer.echo(
        f"Next:\n"
        f"  1. Set IMAGE_STORE={to} and restart the service.\n"
        f"  2. Run `nanobanana images move --to {to}` again, for what was made and deleted meanwhile: "
        f"until then what was\n     deleted since this run can still be fetched there.\n"
        f"  3. Run `nanobanana images verify`. When it finds nothing, {source[_other(to)]}."
    )
