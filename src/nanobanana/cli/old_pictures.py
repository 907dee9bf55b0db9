"""Pictures lay in folders of two characters before there was one for each day (migration 0014, which renamed the rows)."""

from pathlib import Path

from nanobanana.domain.images.names import first_name
from nanobanana.storage.database import Database

_WIDTH = 22


async def bring_to_days(database: Database, folder: Path) -> None:
    """Moves what is left of them to where the rows say. What no row knows stays."""
    if not (old := _left_in(folder)):
        return
    rows = await database.statement(
        """
        select image_name from generations
        where right(split_part(image_name, '-', 1), %(width)s) = any(%(names)s)
        """,
        {"width": _WIDTH, "names": [file.name[:_WIDTH] for file in old]},
    )
    names = {first_name(row["image_name"])[-_WIDTH:]: first_name(row["image_name"]) for row in rows}
    for file in old:
        if name := names.get(file.name[:_WIDTH]):
            _rename(file, folder / f"{name}{file.name[_WIDTH:]}")


def _left_in(folder: Path) -> list[Path]:
    return [file for file in folder.glob("[0-9A-Za-z][0-9A-Za-z]/*.*") if file.is_file()]


def _rename(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    file.rename(target)
