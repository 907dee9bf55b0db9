"""What happens once a night or week, whoever's turn it is."""

import asyncio
from datetime import UTC, datetime

import pytest
from httpx2 import AsyncClient
from procrastinate.periodic import PeriodicDeferrer

from nanobanana.domain.inventory.sweeper import Sweeper
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.metrics import PICTURES_ASTRAY, RECONCILIATION_DIFFERENCES
from nanobanana.services import Services
from tests.people import Person

NIGHT = datetime(2027, 1, 31, 3, 17, 20, tzinfo=UTC)
SUNDAY = datetime(2027, 1, 31, 4, 43, 20, tzinfo=UTC)
MONDAY = datetime(2027, 2, 1, 4, 43, 20, tzinfo=UTC)
NOON = datetime(2027, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def deferrers(services: Services) -> list[PeriodicDeferrer]:
    """Of two processes."""
    return [PeriodicDeferrer(services.queue.app.periodic_registry) for _ in range(2)]


async def _pass_by(deferrers: list[PeriodicDeferrer], moment: datetime) -> None:
    for deferrer in deferrers:
        await deferrer.defer_jobs(deferrer.get_previous_tasks(at=moment.timestamp()))


async def _jobs(services: Services) -> list[str]:
    rows = await services.database.statement("select task_name from procrastinate_jobs", {})
    return [row["task_name"] for row in rows]


async def test_the_records_are_reconciled_by_one_process_a_night_and_differences_are_reported(
    client: AsyncClient,
    alice: Person,
    services: Services,
    deferrers: list[PeriodicDeferrer],
) -> None:
    made = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    assert made.status_code == 200
    await services.database.statement("update account_months set images = images + 1", {})

    await _pass_by(deferrers, NOON)
    by_day = await _jobs(services)
    await _pass_by(deferrers, NIGHT)

    assert by_day.count("reconcile") == 0
    assert (await _jobs(services)).count("reconcile") == 1
    async with asyncio.timeout(10):
        while not RECONCILIATION_DIFFERENCES._value.get():  # the application's own worker does it
            await asyncio.sleep(0.02)
    assert RECONCILIATION_DIFFERENCES._value.get() == 1


async def test_pictures_are_swept_by_one_process_a_week(
    services: Services, deferrers: list[PeriodicDeferrer]
) -> None:
    nobodys = services.settings.image_dir / "2026/11/28/0VcGDXiy5RkxTnYo7IazX4qWzx6wVT.png"
    nobodys.parent.mkdir(parents=True)
    nobodys.write_bytes(b"picture")
    PICTURES_ASTRAY.labels("files_without_rows").set(0)

    await _pass_by(deferrers, MONDAY)
    on_monday = await _jobs(services)
    await _pass_by(deferrers, SUNDAY)

    assert on_monday.count("sweep_pictures") == 0
    assert (await _jobs(services)).count("sweep_pictures") == 1
    async with asyncio.timeout(10):
        while not PICTURES_ASTRAY.labels("files_without_rows")._value.get():
            await asyncio.sleep(0.02)


async def test_a_store_that_fails_does_not_end_the_sweep_until_the_next_week(
    services: Services, deferrers: list[PeriodicDeferrer], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: Sweeper) -> None:
        raise StoreError("away")

    monkeypatch.setattr(Sweeper, "sweep", fails)
    await _pass_by(deferrers, SUNDAY)

    tried = "select status::text from procrastinate_jobs where task_name = 'sweep_pictures' and attempts = 1"
    async with asyncio.timeout(10):
        while not (rows := await services.database.statement(tried, {})):
            await asyncio.sleep(0.02)
    assert rows == [{"status": "todo"}]
