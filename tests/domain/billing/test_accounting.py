"""Whatever happens in whatever order, all records agree, nothing falls below zero and no cap is exceeded."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, LiteralString, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nanobanana.domain.api_keys.types import Bearer
from nanobanana.domain.billing.errors import BalanceTooSmallError
from nanobanana.domain.billing.service import Billing
from nanobanana.domain.generation import queue_repository, repository, rules
from nanobanana.domain.generation.types import Admission, Generation, NotMade, Order
from nanobanana.domain.generation.types import Made as Picture
from nanobanana.kit.addresses import parse_address
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import Database
from tests.domain.billing.accounting_model import FREE_IMAGES_PER_DAY, PLANS, Account, Key, Made, Model

T = TypeVar("T")

OUTCOMES: dict[str, Picture | NotMade] = {
    "succeeded": Picture(
        image_format="png", image_bytes=7, image_place="store", model="a model", cost_micro_usd=39_000
    ),
    "blocked": NotMade(state="blocked", error_code="content_policy", error_message="No.", retryable=False),
    "failed": rules.failed("Not now."),
}
NOTHING = "truncate accounts, ledger, free_days cascade"
PLAN = """
    update plans set images_per_month = %(images)s, price_micro_usd_per_image = %(price)s where name = %(plan)s
"""
PEOPLE = """
    insert into accounts (id, email, email_folded, password_hash, plan)
    select 'usr_' || n, n || '@example.com', n || '@example.com', 'x', 'free' from generate_series(0, 1) n;
"""
KEYS = """
    insert into api_keys (id, account_id, mode, name, hash, last4)
    select 'key_' || n, 'usr_' || n / 2, 'live', 'key', decode(lpad(n::text, 2, '0'), 'hex'), 'xxxx'
    from generate_series(0, 3) n
"""
# Or a month would end before anything is used up.
_IMAGES_BEFORE_A_MONTH_ENDS = 6
# By which of the four keys, under which idempotency key, with which prompt.
ORDERS = st.tuples(st.integers(0, 3), st.sampled_from([None, None, None, "a", "b"]), st.sampled_from("xxxy"))
# All that has happened so far, happened a month earlier. In two steps: two months of one account must not meet.
STEPS = ("-1001 months", "1000 months")
EARLIER: tuple[LiteralString, ...] = (
    "update generations set created_at = (created_at at time zone 'utc' + %(by)s::interval) at time zone 'utc'",
    "update idempotency_keys set created_at = created_at + %(by)s::interval",
    "update ledger set day = day + %(by)s::interval",
    "update usage_days set day = day + %(by)s::interval",
    "update free_days set day = day + %(by)s::interval",
    "update account_months set month = month + %(by)s::interval",
    "update key_months set month = month + %(by)s::interval",
)


class Books:
    """A database, and the ways to it, for a test that is not a coroutine."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self.database = Database(database_url, size=1)
        self.billing = Billing(self.database)
        self.run(self.database.open())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def sql(self, statement: LiteralString, **parameters: object) -> list[dict[str, Any]]:
        return self.run(self.database.statement(statement, parameters))

    def close(self) -> None:
        self.run(self.database.close())
        self._runner.close()


class Accounting(RuleBasedStateMachine):
    """Two accounts with two live keys each. Each step is told to the model as well."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self._billing, self._database = books.billing, books.database
        self._run, self._sql = books.run, books.sql
        for statement in (NOTHING, PEOPLE, KEYS):
            self._sql(statement)
        self.model = Model()
        self.accounts = [Account("usr_0"), Account("usr_1")]
        self.change_plan(1, "payg")
        self.credit(1, 100_000)
        self.keys = [Key(f"key_{n}", self.accounts[n // 2]) for n in range(4)]

    @rule(orders=st.lists(ORDERS, min_size=3, max_size=8))
    def order(self, orders: list[tuple[int, str | None, str]]) -> None:
        for which, idempotency_key, prompt in orders:
            self._order(self.keys[which], idempotency_key, prompt)

    def _order(self, key: Key, idempotency_key: str | None, prompt: str) -> None:
        earlier, full = self.model.earlier(key, idempotency_key), self.model.full_limit(key)
        admission = self._run(self._admit(key, idempotency_key, prompt))
        assert admission
        if earlier and earlier.prompt != prompt:
            assert admission.refusal == "idempotency_key_reused"
        elif earlier:
            assert (admission.replayed, admission.admitted.id) == (True, earlier.row.id)
            assert admission.admitted.state == earlier.state
        elif full:
            assert admission.refusal == full
        else:
            assert not admission.replayed
            plan = key.account.plan
            self.model.made.append(
                Made(
                    row=admission.admitted,
                    key=key,
                    month=self.model.month,
                    price=PLANS[plan][1],
                    is_free=plan == "free",
                    idempotency_key=idempotency_key,
                    prompt=prompt,
                )
            )

    @precondition(lambda self: self.model.running())
    @rule(
        last_first=st.booleans(), outcomes=st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=2, max_size=5)
    )
    def settle(self, outcomes: list[str], *, last_first: bool) -> None:
        running = sorted(self.model.running(), key=lambda one: one.row.id, reverse=last_first)
        for one, outcome in zip(running, outcomes, strict=False):
            settled = self._settle(one.row, OUTCOMES[outcome])
            assert settled
            assert settled.state == outcome
            assert self._settle(one.row, OUTCOMES["succeeded"]) is None
            one.state = outcome

    @precondition(lambda self: self.model.running())
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """The process that works on one dies, wakes up after another has taken over, and is not heard any more."""
        one = data.draw(st.sampled_from(self.model.running()))
        self._sql(
            "update generations set lease_until = now() - interval '1 second' where id = %(id)s",
            id=one.row.id,
        )
        [work] = self._run(repository.take_over(self._database, limit=10, own=[]))
        assert (work.generation.id, work.generation.attempt) == (one.row.id, one.row.attempt + 1)
        assert self._settle(one.row, OUTCOMES["succeeded"]) is None
        one.row = work.generation

    @precondition(lambda self: self.model.running())
    @rule(data=st.data(), then=st.sampled_from(["claimed", "claimed", "cancelled", "expired"]))
    def no_route(self, data: st.DataObject, then: str) -> None:
        """What one holds stays held while it waits, until it is claimed again or ends there."""
        one = data.draw(st.sampled_from(self.model.running()))
        waiting = self._run(queue_repository.put_back(self._database, one.row))
        assert waiting
        assert waiting.state == "queued"
        assert self._run(self._billing.reconcile()) == []
        if then == "claimed":
            self._run(self._database.statement("update generations set not_before = null", {}))
            [work] = self._run(queue_repository.claim(self._database, limit=1, max_age_s=10**9))
            assert (work.generation.id, work.generation.attempt) == (one.row.id, one.row.attempt + 1)
            assert self._settle(one.row, OUTCOMES["succeeded"]) is None
            one.row = work.generation
            return
        ending = {"cancelled": rules.cancelled, "expired": rules.expired}[then]
        settled = self._settle(waiting, ending(waiting))
        assert settled
        assert settled.state == then
        one.state = then

    @rule(which=st.integers(0, 1), plan=st.sampled_from(sorted(PLANS)))
    def change_plan(self, which: int, plan: str) -> None:
        self.accounts[which].plan = plan
        self._run(self._billing.move(email=f"{which}@example.com", plan=plan))

    @rule(which=st.integers(0, 1), micro_usd=st.sampled_from([100_000, 50_000, -20_000, -1]))
    def credit(self, which: int, micro_usd: int) -> None:
        account = self.accounts[which]
        left = self.model.balance(account) + micro_usd
        try:
            balance = self._run(self._billing.credit(email=f"{which}@example.com", micro_usd=micro_usd))
        except BalanceTooSmallError:
            assert left < self.model.held(account)
        else:
            account.credited += micro_usd
            assert balance == left >= self.model.held(account)

    @rule(
        which=st.integers(0, 3),
        of_key=st.sampled_from([None, 1, 2]),
        spending=st.sampled_from([None, 40_000]),
    )
    def set_caps(self, which: int, of_key: int | None, spending: int | None) -> None:
        key = self.keys[which]
        key.cap, key.account.spending_cap = of_key, spending
        self._sql("update api_keys set monthly_image_cap = %(cap)s where id = %(id)s", cap=of_key, id=key.id)
        self._sql(
            "update accounts set spending_cap_micro_usd = %(cap)s where id = %(id)s",
            cap=spending,
            id=key.account.id,
        )

    @precondition(lambda self: self.model.made_this_month() >= _IMAGES_BEFORE_A_MONTH_ENDS)
    @rule()
    def month_ends(self) -> None:
        """With work still running: it is settled in the month in which it was admitted."""
        self.model.month += 1
        for by in STEPS:
            for statement in EARLIER:
                self._sql(statement, by=by)

    @invariant()
    def all_records_agree(self) -> None:
        assert self._run(self._billing.reconcile()) == []
        rows = self._sql("select account_id, micro_usd, held_micro_usd from balances")
        kept = {row["account_id"]: (row["micro_usd"], row["held_micro_usd"]) for row in rows}
        for account in self.accounts:
            expected = (self.model.balance(account), self.model.held(account))
            assert kept.get(account.id, (0, 0)) == expected

    def _settle(self, row: Generation, outcome: Picture | NotMade) -> Generation | None:
        """Suspends nobody."""
        settling = repository.settle(self._database, row, outcome, refusals_per_day=1_000_000)
        return self._run(settling)

    async def _admit(self, key: Key, idempotency_key: str | None, prompt: str) -> Admission | None:
        order = Order(prompt=prompt, size="1024x1024", style="natural", format=None)
        return await repository.admit(
            self._database,
            id=new_id("gen"),
            image_name=new_id("img"),
            bearer=_bearer(key),
            client_address=parse_address("127.0.0.1"),
            order=order,
            idempotency=rules.idempotency(idempotency_key, order) if idempotency_key else None,
            free_images_per_day=FREE_IMAGES_PER_DAY,
            queue_max_length=None,
        )


def _bearer(key: Key) -> Bearer:
    """Only what admission looks at is true of it."""
    return Bearer(
        api_key_id=key.id,
        account_id=key.account.id,
        mode="live",
        key_hash=bytes([int(key.id[-1])]),
        key_images_per_hour=None,
        plan_images_per_hour=None,
        plan_images_in_flight=None,
        month_images=0,
        month_limit=None,
    )


def test_all_records_agree_and_no_cap_is_exceeded_whatever_happens(database_url: str) -> None:
    books = Books(database_url)
    for plan, (images, price) in PLANS.items():
        books.sql(PLAN, images=images, price=price, plan=plan)
    # Always the same examples: what a change breaks is red for whoever makes it, and never for the next one. Not made
    # smaller when they fail, which would take minutes.
    modest = settings(
        max_examples=16,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )
    run_state_machine_as_test(partial(Accounting, books), settings=modest)
    books.close()
