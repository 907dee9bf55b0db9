"""Tells owners of keys that suddenly do far more than usual: somebody else may have them."""

from datetime import UTC, datetime, timedelta

from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.surges import repository, rules
from nanobanana.domain.surges.types import KeyHour
from nanobanana.storage.database import Database
from nanobanana.storage.queue import defer


class Surges:
    def __init__(self, database: Database, *, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications

    async def watch(self) -> None:
        """Looks at this hour and the one that ended: its last minutes may not have been counted while it lasted."""
        since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        await repository.count(self._database, since=since)
        for hour in await repository.busy(self._database, since=since, images=rules.FEWEST_IMAGES):
            if rules.is_surge(hour):
                await self._report(hour)

    async def _report(self, hour: KeyHour) -> None:
        async with self._database.begin() as connection:
            if await repository.take_report(connection, api_key_id=hour.api_key_id):
                moment = hour.hour.isoformat()
                await defer(connection, "send_key_surge", api_key_id=hour.api_key_id, hour=moment)

    async def send_mail(self, api_key_id: str, *, hour: str) -> None:
        """With the numbers of this moment: the hour may still go on."""
        surge = await repository.find(
            self._database, api_key_id=api_key_id, hour=datetime.fromisoformat(hour)
        )
        if surge:  # neither key nor owner left meanwhile
            await self._notifications.key_surge(
                surge.email,
                key_name=surge.key_name,
                last4=surge.last4,
                api_key_id=surge.api_key_id,
                hour=f"{surge.hour.astimezone(UTC):%H:%M} UTC",
                images=f"{surge.images:,}",
                usual=f"{surge.usual_images:,.0f}",
            )

    async def discard_old(self) -> None:
        await repository.discard_old(self._database)
