from nanobanana.storage.database import Database


async def count_waiting(database: Database) -> int:
    """By an index that holds nothing else."""
    rows = await database.statement("select count(*) as waiting from generations where state = 'queued'", {})
    waiting: int = rows[0]["waiting"]
    return waiting
