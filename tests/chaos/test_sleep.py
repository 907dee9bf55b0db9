"""SIGSTOP of a process that makes an image, until another has taken its row; then SIGCONT."""

import asyncio
import os
import signal
from collections.abc import Iterator

import httpx2
import psutil
import psycopg
import pytest
from httpx2 import AsyncClient
from psycopg.rows import dict_row

from tests.concurrency.cluster import Cluster, billing_of, running_cluster
from tests.people import sign_up


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


def _row(cluster: Cluster) -> dict[str, object]:
    with psycopg.connect(cluster.database_url, row_factory=dict_row) as connection:
        (row,) = connection.execute("select * from generations").fetchall()
    return row


def _pictures(cluster: Cluster) -> dict[str, int]:
    """Their sizes in bytes, by name."""
    folder = cluster.service.data_dir / "images"
    found = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.stat().st_size for file in found}


def _asks_google(cluster: Cluster, pid: int) -> bool:
    port = httpx2.URL(cluster.sandbox_url).port
    connections = psutil.Process(pid).net_connections("tcp")
    return any(connection.raddr and connection.raddr.port == port for connection in connections)


async def _until_somebody_asks_google(cluster: Cluster) -> int:
    async with asyncio.timeout(20):
        while True:
            for pid in cluster.service.web_processes():
                if _asks_google(cluster, pid):
                    return pid
            await asyncio.sleep(0.05)


def _end_lease(cluster: Cluster) -> None:
    """In place of the seconds that it still runs."""
    with psycopg.connect(cluster.database_url) as connection:
        connection.execute("update generations set lease_until = now()")


async def test_who_slept_through_its_lease_settles_nothing_and_leaves_no_picture(cluster: Cluster) -> None:
    async with cluster.client() as client:
        person = await sign_up(client, "alice@example.com")
        async with billing_of(cluster) as billing:
            await billing.move(email=person.email, plan="hourly")
        headers = {**person.by_key, "Prefer": "respond-async"}
        order = {"prompt": "a banana [sandbox:latency=1]"}
        assert (await client.post("/v1/generate", json=order, headers=headers)).status_code == 202
        sleeper = await _until_somebody_asks_google(cluster)

        os.kill(sleeper, signal.SIGSTOP)
        _end_lease(cluster)
        async with asyncio.timeout(20):
            while _row(cluster)["state"] != "succeeded":
                await asyncio.sleep(0.05)
        settled, kept = _row(cluster), _pictures(cluster)
        os.kill(sleeper, signal.SIGCONT)
        await _until_nobody_works(client)

        assert _row(cluster) == settled
        assert _pictures(cluster) == kept == {f"{settled['image_name']}.jpg": settled["image_bytes"]}
        assert (settled["attempt"], settled["lost_attempts"]) == (2, 1)
        assert cluster.google_calls() == 2
        async with billing_of(cluster) as billing:
            assert await billing.reconcile() == []


async def _until_nobody_works(client: AsyncClient) -> None:
    async with asyncio.timeout(20):
        while "nanobanana_generations_in_flight 0.0" not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.05)
