"""The plan table in force: read from its file at start, kept where admission reads it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nanobanana.domain.plans import repository, rules
from nanobanana.domain.plans.errors import PlanInUseError
from nanobanana.domain.plans.types import Plan
from nanobanana.storage.database import Database


async def put_in_force(database: Database, file: Path) -> Mapping[str, Plan]:
    """From now on the plans of this file hold, for every process. Raises UnusableFileError and PlanInUseError."""
    plans = rules.read_plans(file)
    async with database.begin() as connection:
        if missing := await repository.in_use(connection, but=plans):
            raise PlanInUseError(file, missing)
        for plan in plans.values():
            await repository.put(connection, plan)
        await repository.discard(connection, but=plans)
    return plans


async def in_force(database: Database) -> Sequence[Plan]:
    """The least to pay first, and those that are paid by the image last."""
    return await repository.in_force(database)
