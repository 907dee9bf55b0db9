"""What the database says once all is over."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import psycopg

from nanobanana.domain.billing.service import Billing
from nanobanana.storage.database import Database
from tests.chaos.figures import Figures

_UNDER_WAY = "select count(*) from generations where state in ('queued', 'running')"
_HELD = """
    select (select coalesce(sum(held_images + held_micro_usd), 0) from account_months)
           + (select coalesce(sum(held_images), 0) from key_months)
           + (select coalesce(sum(held_micro_usd), 0) from balances)
"""


@dataclass(frozen=True)
class Books:
    states: Counter[str]
    ids: set[str]
    lost_attempts: int
    held: int
    differences: int

    def show(self, figures: Figures, *, accepted: set[str], drawn: int) -> None:
        """What holds after any chaos: `accepted` were promised to callers, `drawn` pictures cost us money."""
        figures.expect("accepted, then unknown", len(accepted - self.ids), is_=0)
        figures.expect("drawn, neither captured nor recorded as lost", self._unexplained(drawn), is_=0)
        figures.expect("still held", self.held, is_=0)
        figures.expect("differences found by reconcile", self.differences, is_=0)

    def _unexplained(self, drawn: int) -> int:
        return max(0, drawn - self.states["succeeded"] - self.lost_attempts)


async def until_all_has_ended(database_url: str, *, within_s: float) -> float:
    """The seconds until nothing waits or runs any more."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            while (await (await connection.execute(_UNDER_WAY)).fetchone()) != (0,):
                await asyncio.sleep(0.1)
    return time.monotonic() - began


async def books_of(database_url: str) -> Books:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await (await connection.execute("select id, state, lost_attempts from generations")).fetchall()
        held = await (await connection.execute(_HELD)).fetchone()
    database = Database(database_url, size=1)
    await database.open()
    differences = await Billing(database).reconcile()
    await database.close()
    return Books(
        states=Counter(state for _, state, _ in rows),
        ids={id for id, _, _ in rows},
        lost_attempts=sum(lost for _, _, lost in rows),
        held=int(held[0]) if held else 0,
        differences=len(differences),
    )
