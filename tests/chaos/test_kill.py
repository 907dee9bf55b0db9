"""kill -9 at the worst moment."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from httpx2 import AsyncClient, HTTPError

from tests.cli.serving import Service, ended, serving

PROMPT = "a banana [sandbox:latency={latency}]"


async def _ask(client: AsyncClient, latency: float) -> None:
    body = {"prompt": PROMPT.format(latency=latency)}
    with suppress(HTTPError):  # the service is killed under it
        await client.post("/v1/generate", json=body)


async def _kill_in_the_middle(service: Service, database_url: str) -> None:
    key = (service.data_dir / "development_api_key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    async with AsyncClient(base_url=service.url, headers=headers, timeout=30) as client:
        # Some are stored, some at Google, some hardly admitted when it happens.
        calls = [asyncio.create_task(_ask(client, latency / 10)) for latency in range(20)]
        async with asyncio.timeout(20):
            while _states(database_url).count("succeeded") < 5:
                await asyncio.sleep(0.05)
        family = service.family()
        service.process.kill()
        await asyncio.gather(*calls)
    assert ended(family, within_s=5)


def _states(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        return [state for (state,) in connection.execute("select state from generations")]


def test_after_kill_9_every_row_ends_within_a_minute_and_no_file_is_without_a_row(
    service: Service, data_dir: Path, database_url: str
) -> None:
    asyncio.run(_kill_in_the_middle(service, database_url))
    assert "running" in _states(database_url)

    settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    with serving(data_dir, factory=None, settings=settings):
        asyncio.run(_until_all_ended(database_url, data_dir, within_s=60))

    assert set(_states(database_url)) == {"succeeded"}
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select image_name || '.jpg' from generations").fetchall()
    folder = data_dir / "images"
    files = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
    assert sorted(files) == sorted(name for (name,) in rows)


async def _until_all_ended(database_url: str, data_dir: Path, *, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while "running" in _states(database_url) or any((data_dir / "images").rglob("*#*")):
            await asyncio.sleep(0.2)


async def test_a_killed_web_process_loses_nothing_while_the_others_serve(
    service: Service, database_url: str
) -> None:
    key = (service.data_dir / "development_api_key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    async with AsyncClient(base_url=service.url, headers=headers, timeout=60) as client:
        calls = [asyncio.create_task(_ask(client, 1.5)) for _ in range(12)]
        async with asyncio.timeout(20):
            while len(_states(database_url)) < 12:
                await asyncio.sleep(0.05)

        os.kill(min(service.web_processes()), signal.SIGKILL)

        await asyncio.gather(*calls)
        await _until_all_ended(database_url, service.data_dir, within_s=60)
    assert _states(database_url) == ["succeeded"] * 12
    assert psutil.pid_exists(service.process.pid)
