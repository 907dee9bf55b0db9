"""What `nanobanana images verify` shows."""

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from nanobanana.cli.database_command import with_database
from nanobanana.cli.progress import progress_bar
from nanobanana.domain.inventory.service import Inventory
from nanobanana.domain.inventory.types import Counts, FileFinding, Finding, RowFinding
from nanobanana.image_stores import open_store
from nanobanana.settings import Settings
from nanobanana.storage.database import Database

_SHOWN_OF_A_KIND = 100
# One for the rows, the others for what is looked at again.
_CONNECTIONS = 4

_EXPLAINED: dict[RowFinding | FileFinding, str] = {
    "file_missing": "rows without their file",
    "wrong_size": "files of another size",
    "waiting_bytes_missing": "rows without their waiting bytes",
    "unreadable": "files that do not decode",
    "row_ended": "files of rows without a picture",
    "row_unknown": "files that no row knows",
}


def check_pictures(settings: Settings, *, read: bool) -> bool:
    """Whether all is as it should be. `settings` name a store."""
    assert settings.image_store != "none"  # noqa: S101  see above
    store, counts = open_store(settings, settings.image_store), Counts()

    async def check(database: Database) -> None:
        inventory, shown = Inventory(database, store=store), Counter[str]()
        with progress_bar() as progress:
            task = progress.add_task("Rows", total=await inventory.row_count())
            async for findings in inventory.compare(counts, read=read):
                progress.update(task, completed=counts.rows)
                _show(findings, shown, progress)
            _complete(progress, task, counts.rows)

    with_database(settings, check, connections=_CONNECTIONS)
    _summarize(counts, read=read)
    return not counts.findings


def _show(findings: list[Finding], shown: Counter[str], progress: Progress) -> None:
    for finding in findings:
        shown[finding.kind] += 1
        if shown[finding.kind] <= _SHOWN_OF_A_KIND:
            who = f" of {finding.generation_id}" if finding.generation_id else ""
            progress.print(escape(f"{finding.kind}: {finding.name}{who} ({finding.detail})"), soft_wrap=True)
        elif shown[finding.kind] == _SHOWN_OF_A_KIND + 1:
            progress.print(f"{finding.kind}: more of these are only counted")


def _complete(progress: Progress, task: TaskID, rows: int) -> None:
    """With as many as there were: some came and none went since they were counted."""
    progress.update(task, total=rows, completed=rows)


def _summarize(counts: Counts, *, read: bool) -> None:
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rows", f"{counts.rows:,}")
    table.add_row("pictures in the store", f"{counts.pictures:,}")
    table.add_row("pictures waiting for it", f"{counts.waiting:,}")
    table.add_row("files", f"{counts.files:,} ({counts.bytes / 1e9:,.2f} GB)")
    table.add_row("files that are not ours", f"{counts.foreign:,}")
    if read:
        table.add_row("pictures decoded", f"{counts.read:,}")
    table.add_section()
    for kind, explained in _EXPLAINED.items():
        if read or kind != "unreadable":
            style = "red" if counts.findings[kind] else "green"
            table.add_row(explained, f"[{style}]{counts.findings[kind]:,}[/]")
    Console().print(table)
