"""How many free accounts may come to be: counted in PostgreSQL, exactly, whatever becomes of Redis."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from nanobanana.domain.accounts import repository
from nanobanana.domain.accounts.errors import TooManyAccountsError
from nanobanana.domain.accounts.rules import fold_mailbox
from nanobanana.domain.accounts.types import Period
from nanobanana.kit.addresses import IPAddress, subnet_of
from nanobanana.metrics import THROTTLED
from nanobanana.storage.database import AsyncConnection

# One to use and one to try things out. By the month, because free quotas are too.
PER_MAILBOX_AND_MONTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ceiling:
    name: str
    subject: str
    accounts: float
    period: Period
    refusal: str


class FreeAccountCeilings:
    def __init__(self, *, secret: str, per_subnet_and_day: int | None, scale: float) -> None:
        """`per_subnet_and_day`: None for no ceiling at all. `secret` hashes whom an account counts for."""
        self._secret = secret.encode()
        self._per_subnet_and_day = per_subnet_and_day
        self._scale = scale

    async def count(self, connection: AsyncConnection, *, email: str, address: IPAddress) -> None:
        """One more account, in the transaction that makes it: what is rolled back is not counted.

        Raises TooManyAccountsError. Accounts that go later stay counted, or going would farm quotas.
        """
        # In one order always, or two transactions could wait for each other.
        for ceiling in self._ceilings(email, address):
            if not await repository.count_new_account(
                connection,
                subject=hmac.digest(self._secret, ceiling.subject.encode(), hashlib.sha256),
                period=ceiling.period,
                limit=max(1, int(ceiling.accounts * self._scale)),
            ):
                THROTTLED.labels(ceiling.name).inc()
                retry_after_s = await repository.seconds_left(connection, period=ceiling.period)
                raise TooManyAccountsError(ceiling.refusal, retry_after_s=retry_after_s)

    def _ceilings(self, email: str, address: IPAddress) -> Iterator[_Ceiling]:
        if self._per_subnet_and_day is None:
            return
        yield _Ceiling(
            name="free_accounts_subnet",
            subject=f"subnet {subnet_of(address)}",
            accounts=self._per_subnet_and_day,
            period="day",
            refusal="Too many new free accounts from this network today.",
        )
        yield _Ceiling(
            name="free_accounts_mailbox",
            subject=f"mailbox {fold_mailbox(email)}",
            accounts=PER_MAILBOX_AND_MONTH,
            period="month",
            refusal="Too many new free accounts for this mailbox this month, however its address is spelled.",
        )
