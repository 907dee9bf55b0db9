"""Keeps prompts that would cost us the account at Google away from it: by a word list, and by counting refusals."""

from nanobanana.domain.moderation import repository
from nanobanana.domain.moderation.blocklist import Blocklist
from nanobanana.domain.notifications.service import Notifications
from nanobanana.storage.database import Database


class Moderation:
    def __init__(
        self, database: Database, *, blocklist: Blocklist, notifications: Notifications, refusals_per_day: int
    ) -> None:
        self._database = database
        self._blocklist = blocklist
        self._notifications = notifications
        self._refusals_per_day = refusals_per_day

    def refuses(self, prompt: str) -> bool:
        """Whether a term of the operator's list is in it."""
        return self._blocklist.matches(prompt)

    async def count_refusal(self, account_id: str) -> None:
        await repository.count_refusal(
            self._database, account_id=account_id, refusals_per_day=self._refusals_per_day
        )

    async def reread_blocklist(self) -> None:
        await self._blocklist.reread()

    async def send_suspension_mail(self, account_id: str) -> None:
        """To the owner, unless the suspension is over by now."""
        suspension = await repository.find_suspension(self._database, account_id=account_id)
        if suspension:
            await self._notifications.account_suspended(
                suspension.email,
                refusals=suspension.refusals,
                day=f"{suspension.day:%-d %B %Y}" if suspension.day else None,
                reason=suspension.reason,
            )
