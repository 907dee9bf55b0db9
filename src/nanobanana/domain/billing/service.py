"""What an operator does about money, what an owner sees of it, and whether all records of it agree."""

from collections.abc import Sequence

import structlog

from nanobanana.domain.accounts.lookup import account_id_of
from nanobanana.domain.audit import repository as audit_repository
from nanobanana.domain.billing import repository
from nanobanana.domain.billing.errors import BalanceTooSmallError, NoSuchPlanError
from nanobanana.domain.billing.types import Balance, BilledMonth, Difference, Movement
from nanobanana.domain.retention.service import begin_to_fit
from nanobanana.metrics import RECONCILIATION_DIFFERENCES
from nanobanana.storage.database import Database

# Reads every generation once.
_RECONCILIATION_S = 1_800

log = structlog.get_logger()


class Billing:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def credit(self, *, email: str, micro_usd: int, note: str | None = None) -> int:
        """Adds to the balance, or takes from it; gives what it is afterwards. Raises NoSuchAccountError and
        BalanceTooSmallError."""
        async with self._database.begin() as connection:
            account_id = await account_id_of(connection, email)
            balance = await repository.credit(
                connection, account_id=account_id, micro_usd=micro_usd, note=note
            )
            if balance is None:
                raise BalanceTooSmallError
            detail = {"micro_usd": micro_usd, "note": note}
            await audit_repository.record(connection, "credit", account_id=account_id, detail=detail)
            return balance

    async def move(self, *, email: str, plan: str) -> None:
        """To another plan, from this moment on; what was used this month stays used, and the pictures that are there
        follow the plan. Raises NoSuchAccountError and NoSuchPlanError."""
        async with self._database.begin() as connection:
            names = await repository.plan_names(connection)
            if plan not in names:
                raise NoSuchPlanError(plan, names)
            account_id = await account_id_of(connection, email)
            moved_at = await repository.move(connection, account_id=account_id, plan=plan)
            await begin_to_fit(connection, account_id=account_id, moved_at=moved_at)
            await audit_repository.record(connection, "plan", account_id=account_id, detail={"plan": plan})

    async def movements(
        self, *, account_id: str, before: int | None, limit: int
    ) -> tuple[Sequence[Movement], int | None]:
        """Up to `limit` rows of the ledger, newest first, and where the next page begins; None: there is none."""
        found = await repository.movements(
            self._database, account_id=account_id, before=before, limit=limit + 1
        )
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    async def months(self, *, account_id: str, limit: int) -> Sequence[BilledMonth]:
        """The last of those in which something was ordered, newest first."""
        return await repository.months(self._database, account_id=account_id, limit=limit)

    async def balance(self, *, account_id: str) -> Balance:
        """As it came about."""
        return await repository.balance(self._database, account_id=account_id)

    async def reconcile(self) -> list[Difference]:
        """Holds ledger, sums, generations and usage against each other; gives what does not agree."""
        async with self._database.begin(patience_s=_RECONCILIATION_S) as connection:
            return await repository.differences(connection)

    async def report_differences(self) -> None:
        """Reconciles, and logs and counts for whoever watches the service."""
        differences = await self.reconcile()
        RECONCILIATION_DIFFERENCES.set(len(differences))
        for difference in differences:
            log.error(
                "records_disagree",
                check=difference.check,
                subject=difference.subject,
                period=difference.period,
                recorded=difference.recorded,
                expected=difference.expected,
            )
