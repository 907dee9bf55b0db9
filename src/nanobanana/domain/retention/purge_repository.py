from collections.abc import Sequence
from datetime import datetime

from nanobanana.domain.retention.types import Expired
from nanobanana.storage.database import Database

# In the statement itself: without it the planner expects a tenth of all rows, and prepares to read them.
_BATCH = "1000"
# For how long a batch is left to who has claimed it: then it was killed, and another deletes the files once more.
_CLAIM = "interval '1 minute'"
_PAUSE_AFTER_FAILURE = "interval '5 minutes'"


async def claim(database: Database, *, after: datetime | None) -> list[Expired]:
    """Pictures whose time is up, the longest first, and whose rows now say so; prompts go with them. `after`: where the
    last batch ended. What lies before it is dead, and would be gone through again and again until a vacuum."""
    rows = await database.statement(
        f"""
        with due as (
            select id from generations
            where image_place is not null and expires_at <= now()
                  and expires_at >= coalesce(%(after)s::timestamptz, '-infinity')
                  and (not_before is null or not_before <= now())
            order by expires_at limit {_BATCH} for update skip locked
        )
        update generations g
        set image_state = case g.image_state when 'kept' then 'expired' else g.image_state end, prompt = '',
            not_before = now() + {_CLAIM}
        from due where g.id = due.id
        returning g.id, g.image_name, g.image_format, g.expires_at
        """,
        {"after": after},
    )
    return [Expired(**row) for row in rows]


async def finish(database: Database, ids: Sequence[str]) -> None:
    """Nothing of these pictures is anywhere any more."""
    await database.statement(
        "update generations set image_place = null, not_before = null where id = any(%(ids)s)",
        {"ids": list(ids)},
    )


async def postpone(database: Database, ids: Sequence[str]) -> None:
    await database.statement(
        f"update generations set not_before = now() + {_PAUSE_AFTER_FAILURE} where id = any(%(ids)s)",
        {"ids": list(ids)},
    )
