"""For how long pictures stay when an account comes to another plan.

An upgrade makes those that are there stay for good, or longer. After a downgrade they stay for as long as the new plan
keeps pictures, counted from that day. What an order wished for itself only ever becomes shorter. What is gone is gone.
"""

from datetime import datetime

from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.retention import repository
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.queue import defer

# An order that was being admitted during the move has the old plan's retention; no admission takes longer than this.
_ADMISSIONS_END_S = 15


async def begin_to_fit(connection: AsyncConnection, *, account_id: str, moved_at: datetime) -> None:
    """In the transaction of the move: what would be gone before the rest is done is done now."""
    await repository.fit_what_goes_soon(connection, account_id=account_id, moved_at=moved_at)
    await defer(
        connection,
        "fit_pictures_to_plan",
        after_s=_ADMISSIONS_END_S,
        account_id=account_id,
        moved_at=moved_at.isoformat(),
    )


class Retention:
    def __init__(self, database: Database, *, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications

    async def fit_to_plan(self, account_id: str, *, moved_at: datetime) -> None:
        """All pictures of the account, to the plan it came to at that moment; nothing when it has moved on since. Then
        its owner is told when any of them go for it. Begun anew, it changes only what is left."""
        last: str | None = ""
        while last is not None:
            last = await repository.fit_next(
                self._database, account_id=account_id, moved_at=moved_at, after=last
            )
        loss = await repository.loss(self._database, account_id=account_id, moved_at=moved_at)
        if loss:
            await self._notifications.pictures_will_go(
                loss.email,
                plan=loss.plan,
                days=loss.retention_days,
                moved_on=f"{loss.moved_at:%-d %B %Y}",
                gone_on=f"{loss.gone_at:%-d %B %Y}",
            )
