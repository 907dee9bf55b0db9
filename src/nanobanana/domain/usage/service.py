"""What an account has used, and when it is told that little is left."""

from collections.abc import Sequence
from datetime import date

from nanobanana.domain.accounts import repository as accounts_repository
from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.usage import repository
from nanobanana.domain.usage.types import KeyMonth, Usage
from nanobanana.storage.database import Database


class UsageReports:
    def __init__(self, database: Database, *, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications

    async def report(self, *, account_id: str, first: date, last: date) -> Usage:
        """The days from first to last, both included, in UTC; standing and keys are of the present month."""
        return Usage(
            days=await repository.days(self._database, account_id=account_id, first=first, last=last),
            standing=await repository.standing(self._database, account_id=account_id),
            keys=await repository.keys(self._database, account_id=account_id),
        )

    async def keys_this_month(self, *, account_id: str) -> Sequence[KeyMonth]:
        """Of the living live keys; others count nowhere."""
        return await repository.keys(self._database, account_id=account_id)

    async def send_quota_warning(self, account_id: str, *, percent: int) -> None:
        """To the owner, as the month's images have reached that percentage of the plan's."""
        async with self._database.begin() as connection:
            account = await accounts_repository.find(connection, id=account_id)
        standing = await repository.standing(self._database, account_id=account_id)
        if account is None or standing.quota is None or standing.images * 100 < percent * standing.quota:
            return  # on a larger plan by now, or in a new month
        await self._notifications.quota_warning(
            account.email,
            percent=percent,
            images=standing.images,
            quota=standing.quota,
            resets_on=f"{standing.resets_at:%-d %B}",
        )
