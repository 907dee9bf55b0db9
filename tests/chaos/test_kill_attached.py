"""kill -9 of the process that makes an image which callers of the other processes wait for."""

import asyncio
import os
import signal
from collections.abc import Iterator

import httpx2
import psutil
import psycopg
import pytest
from httpx2 import HTTPError, Response
from psycopg.rows import dict_row

from tests.concurrency.cluster import Cluster, billing_of, running_cluster
from tests.people import Person, sign_up

ATTACHED = 20
PROMPT = {"prompt": "a banana [sandbox:latency=4]"}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


async def _ask(cluster: Cluster, person: Person, *, wait_s: int) -> Response | None:
    """Over a connection of its own, so that all processes get some; None when it broke."""
    headers = {**person.by_key, "Idempotency-Key": "one", "Prefer": f"wait={wait_s}"}
    async with cluster.client() as client:
        try:
            return await client.post("/v1/generate", json=PROMPT, headers=headers)
        except HTTPError:
            return None


def _worker(cluster: Cluster) -> int:
    """The process that is connected to Google."""
    port = httpx2.URL(cluster.sandbox_url).port
    (pid,) = {
        pid
        for pid in cluster.service.web_processes()
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.raddr and connection.raddr.port == port
    }
    return pid


async def _until_google_is_asked(cluster: Cluster) -> None:
    async with asyncio.timeout(20):
        while not cluster.google_calls():
            await asyncio.sleep(0.05)


def _row(cluster: Cluster) -> dict[str, object]:
    with psycopg.connect(cluster.database_url, row_factory=dict_row) as connection:
        (row,) = connection.execute("select * from generations").fetchall()
    return row


# The lease of the killed process runs 20 s.
@pytest.mark.timeout(150)
async def test_callers_attached_elsewhere_get_the_one_image_that_another_process_then_makes(
    cluster: Cluster,
) -> None:
    async with cluster.client() as client:
        person = await sign_up(client, "alice@example.com")
        async with billing_of(cluster) as billing:
            await billing.move(email=person.email, plan="hourly")
        first = asyncio.create_task(_ask(cluster, person, wait_s=60))
        await _until_google_is_asked(cluster)
        attached = [asyncio.create_task(_ask(cluster, person, wait_s=60)) for _ in range(ATTACHED // 2)]
        attached += [asyncio.create_task(_ask(cluster, person, wait_s=3)) for _ in range(ATTACHED // 2)]
        await asyncio.sleep(0.8)

        os.kill(_worker(cluster), signal.SIGKILL)
        async with asyncio.timeout(30):
            while _row(cluster)["attempt"] == 1:
                await asyncio.sleep(0.1)

        killed = [await first, *(await asyncio.gather(*attached))]
        answers = [answer for answer in killed if answer]
        # Who hung on the killed process sends the same again.
        answers += [await _ask(cluster, person, wait_s=60) for answer in killed if answer is None]
        # 202 for those who wait shortly, unless all of them hung on the killed process and sent the same again.
        assert 200 in (statuses := {answer.status_code for answer in answers if answer})
        assert statuses <= {200, 202}
        (id,) = {answer.json()["id"] for answer in answers if answer}
        later = await client.get(f"/v1/generations/{id}", headers=person.by_key)
        assert (await client.get(later.json()["url"])).status_code == 200
        row = _row(cluster)
        assert (row["id"], row["state"], row["attempt"], row["lost_attempts"]) == (id, "succeeded", 2, 1)
        assert cluster.google_calls() == 2
        async with billing_of(cluster) as billing:
            assert await billing.reconcile() == []
