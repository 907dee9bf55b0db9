"""SIGTERM: it says so first, finishes what it can, and leaves the rest in the queue."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from httpx2 import AsyncClient, Response

from tests.cli.serving import Service, serving


@pytest.fixture
def service(data_dir: Path, database_url: str) -> Iterator[Service]:
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "SHUTDOWN_GRACE_S": "3",
    }
    with serving(data_dir, factory=None, settings=settings) as service:
        yield service


async def _order(client: AsyncClient, latency_s: float) -> Response:
    return await client.post("/v1/generate", json={"prompt": f"a banana [sandbox:latency={latency_s}]"})


async def test_it_is_red_while_it_finishes_and_what_does_not_end_waits_for_others(
    service: Service, database_url: str
) -> None:
    key = (service.data_dir / "development_api_key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    async with AsyncClient(base_url=service.url, headers=headers, timeout=60) as client:
        short, long = (asyncio.create_task(_order(client, latency_s)) for latency_s in (2, 60))
        async with asyncio.timeout(10):
            while len(_states(database_url)) < 2:
                await asyncio.sleep(0.02)

        service.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while (red := await client.get("/readyz")).status_code == 200:
                await asyncio.sleep(0.02)
        late = await _order(client, 0.1)

        assert red.json() == {"ready": False, "draining": True, "database": True, "redis": True}
        assert (await short).status_code == 200
        assert (await long).status_code == late.status_code == 202
    assert await asyncio.to_thread(service.finish) == 0
    assert sorted(_states(database_url)) == ["queued", "queued", "succeeded"]


async def test_work_that_will_not_be_cancelled_is_handed_over_before_its_process_is_killed(
    data_dir: Path, database_url: str
) -> None:
    attached = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    settings = {**attached, "SHUTDOWN_GRACE_S": "0.2"}
    with serving(data_dir, factory="create_stubborn_app", settings=settings) as service:
        key = (service.data_dir / "development_api_key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}", "Prefer": "respond-async"}
        async with AsyncClient(base_url=service.url, headers=headers, timeout=60) as client:
            assert (await _order(client, 0)).status_code == 202

        service.process.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(service.finish) == 0
        assert _states(database_url) == ["queued"]


def _states(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        return [state for (state,) in connection.execute("select state from generations")]
