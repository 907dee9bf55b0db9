"""Each fault of Google's, and each two in a row, come to what docs/google-faults.md says."""

import asyncio
import secrets
from collections.abc import Iterator

import httpx2
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.routes.rules import RetryBudget
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana_sandbox.scenarios import SCENARIOS
from tests.chaos.fault_table import ACCOUNTS, item, read_fault_table
from tests.google import Google
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

# After which a call that hangs or a body that stalls is given up, in place of minutes.
PATIENCE_S = 2
TABLE = read_fault_table()

pytestmark = pytest.mark.usefixtures("patience_with_redis")


@pytest.fixture(params=ACCOUNTS)
def accounts(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def googles(sandbox_url: str, accounts: str) -> Iterator[list[Google]]:
    """Our accounts at Google in the order of use."""
    with httpx2.Client() as http:
        yield [Google(sandbox_url, http=http) for _ in range(1 + ACCOUNTS.index(accounts))]


@pytest.fixture
def settings(settings: Settings, googles: list[Google], monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("nanobanana.integrations.google.http.IDLE_TIMEOUT_S", PATIENCE_S)
    standby = Settings(gemini_standby_api_key=googles[-1].key).gemini_standby_api_key
    # Refusals are among the faults, and nobody is to be suspended for them.
    more = {"gemini_timeout_s": PATIENCE_S, "log_level": "error", "refusals_per_day": 1_000_000}
    if len(googles) > 1:
        more["gemini_standby_api_key"] = standby
    return googles[0].of(settings).model_copy(update=more)


class Case:
    """One order after the other, each meeting the faults that it is to meet."""

    def __init__(
        self, client: AsyncClient, person: Person, services: Services, googles: list[Google]
    ) -> None:
        self._client = client
        self._by_key = person.by_key
        self._services = services
        self._googles = googles

    async def comes_to(self, *faults: str) -> str:
        """What the table has a cell for."""
        await self._all_is_well()
        scripts: list[list[str]] = [[] for _ in self._googles]
        for number, fault in enumerate(faults):
            scripts[min(number, len(scripts) - 1)].append(item(fault))
        for google, script in zip(self._googles, scripts, strict=True):
            google.answers(*script)
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        call = asyncio.create_task(self._order(headers))
        answer = await self._answer(call, headers)
        calls = sum(google.calls() for google in self._googles)
        told = await self._told(answer)
        if answer.status_code == 202:
            await self._all_is_well()
            await self._services.runner.work_off_queue()
            assert (await call).status_code == 200
        return f"{told} {calls}/{await self._lost(answer)}"

    async def _order(self, headers: dict[str, str], *, wait_s: int = 30) -> Response:
        headers = {**self._by_key, **headers, "Prefer": f"wait={wait_s}"}
        return await self._client.post("/v1/generate", json={"prompt": "a banana"}, headers=headers)

    async def _answer(self, call: asyncio.Task[Response], headers: dict[str, str]) -> Response:
        """Of an order that waits: what one is told who does not."""
        while not call.done():
            await asyncio.wait({call}, timeout=0.02)
            waiting = "select 1 from generations where state = 'queued'"
            if await self._services.database.statement(waiting, {}):
                return await self._order(headers, wait_s=0)
        return call.result()

    async def _told(self, answer: Response) -> str:
        """The outcome's name, of all that is known of it."""
        body = answer.json()
        if error := body.get("error"):
            assert error["charged"] is False
        shown = await self._shown(answer)
        entries = await self._services.database.statement(
            "select kind from ledger where generation_id = %(id)s order by id", {"id": shown["id"]}
        )
        facts = (
            str(answer.status_code),
            error["code"] if error else "none",
            shown["charge"]["state"],
            shown["status"],
            ", ".join(entry["kind"] for entry in entries),
        )
        return TABLE.outcomes.get(facts, str(facts))

    async def _shown(self, answer: Response) -> dict[str, dict[str, str]]:
        location = answer.headers.get("location") or f"/v1/generations/{answer.json()['id']}"
        return (await self._client.get(location, headers=self._by_key)).json()

    async def _lost(self, answer: Response) -> int:
        (row,) = await self._services.database.statement(
            "select lost_attempts from generations where id = %(id)s",
            {"id": (await self._shown(answer))["id"]},
        )
        return row["lost_attempts"]

    async def _all_is_well(self) -> None:
        """No fault is left over, and nobody remembers any."""
        for google in self._googles:
            google.recovers()
            google.forgets_calls()
        routes = self._services.routes
        for route in routes._routes:
            route.budget = RetryBudget()
            await routes.reopen(route.name)
            for target in route.targets.values():
                target.bound = route.calls_at_once
        self._services.generations._queue.note_served()


@pytest.fixture
async def case(client: AsyncClient, alice: Person, services: Services, googles: list[Google]) -> Case:
    services.routes._chance = lambda: 0.0  # no pause before another call by the same account
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=10_000 * AN_IMAGE)
    return Case(client, alice, services, googles)


def test_every_fault_that_the_sandbox_knows_is_in_the_table_once() -> None:
    assert sorted(name for names in TABLE.classes.values() for name in names) == sorted(SCENARIOS)


async def test_a_fault_alone_comes_to_what_the_table_says(
    case: Case, services: Services, accounts: str
) -> None:
    found = {fault: await case.comes_to(fault) for fault in SCENARIOS}

    assert found == {fault: TABLE.after_one(accounts, TABLE.class_of(fault)) for fault in SCENARIOS}
    assert await services.billing.reconcile() == []


async def test_two_faults_in_a_row_come_to_what_the_table_says(
    case: Case, services: Services, accounts: str
) -> None:
    """One of each class."""
    pairs = [(first, second) for first in TABLE.classes for second in TABLE.classes]

    found = {
        (first, second): await case.comes_to(TABLE.classes[first][0], TABLE.classes[second][0])
        for first, second in pairs
    }

    assert found == {pair: TABLE.after_two(accounts, *pair) for pair in pairs}
    assert await services.billing.reconcile() == []


@pytest.mark.only_in_full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", [fault for name in TABLE.goes_on for fault in TABLE.classes[name]])
async def test_every_two_faults_in_a_row_come_to_what_their_classes_do(
    case: Case, services: Services, accounts: str, first: str
) -> None:
    """What ends an order at its first call is held to that by itself, above."""
    found = {second: await case.comes_to(first, second) for second in SCENARIOS}

    expected = {
        second: TABLE.after_two(accounts, TABLE.class_of(first), TABLE.class_of(second))
        for second in SCENARIOS
    }
    assert found == expected
    assert await services.billing.reconcile() == []
