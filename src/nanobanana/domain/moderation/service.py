"""Keeps prompts that would cost us the account at Google away from it: by a word list, and by counting refusals."""

import hashlib

from nanobanana.domain.limits.service import Limiter
from nanobanana.domain.limits.types import Limit
from nanobanana.domain.moderation import repository
from nanobanana.domain.moderation.blocklist import Blocklist
from nanobanana.domain.notifications.service import Notifications
from nanobanana.storage.database import Database

_DAY_S = 86_400


class Moderation:
    def __init__(
        self,
        database: Database,
        *,
        blocklist: Blocklist,
        limiter: Limiter,
        notifications: Notifications,
        refusals_per_day: int,
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._blocklist = blocklist
        self._notifications = notifications
        self._refusals_per_day = refusals_per_day

    def refuses(self, prompt: str) -> bool:
        """Whether a term of the operator's list is in it."""
        return self._blocklist.matches(prompt)

    async def count_refusal(self, account_id: str, *, wish: str | None = None) -> None:
        """Once a day for the same `wish`: a program that tries again has asked for nothing more."""
        if wish and not await self._is_new(account_id, wish):
            return
        await repository.count_refusal(
            self._database, account_id=account_id, refusals_per_day=self._refusals_per_day
        )

    async def _is_new(self, account_id: str, wish: str) -> bool:
        """As a window with room for all that are counted before the account is suspended; what finds none is counted."""
        limit = Limit(name="refused", subject=account_id, tokens=2 * self._refusals_per_day, window_s=_DAY_S)
        token = hashlib.sha256(wish.encode()).hexdigest()[:16]
        verdict = await self._limiter.take([limit], token=token)
        return not verdict.allowed or verdict.windows[0].taken

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
