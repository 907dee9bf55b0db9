"""S3 is killed, and hangs, under load, and is brought back."""

import asyncio
import base64
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles

import psycopg
import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.images.rules import inspect
from tests.chaos.books import books_of, until_all_has_ended
from tests.chaos.figures import Figures
from tests.chaos.load import Load, client_of
from tests.chaos.s3_door import S3Door
from tests.concurrency.cluster import Cluster, running_cluster
from tests.google import Google
from tests.s3_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, make_bucket

# An order with a wait as long as this is answered with its picture.
WAIT_S = 60
LONGER_AT_MOST_S = 1
# A probe, a look for what waits, and what has been put there a moment ago.
LOOKS_S = 10


@dataclass(frozen=True)
class Length:
    """`rate` is of orders, a second."""

    rate: float
    calm_s: float
    trouble_s: float


@dataclass(frozen=True)
class Got:
    """What a caller got. `digest`: of the picture, when the answer held it."""

    id: str
    began: float
    seconds: float
    digest: str | None


class Callers:
    def __init__(self) -> None:
        self.got: list[Got] = []

    def note(self, began: float, answer: Response) -> None:
        if answer.status_code == 200:
            body = answer.json()
            assert body["stored"] is not body["url"].startswith("data:")
            data = None if body["stored"] else base64.b64decode(body["url"].partition(",")[2])
            digest = _digest(data) if data else None
            self.got.append(Got(id=body["id"], began=began, seconds=time.time() - began, digest=digest))

    def p95_s(self, *, since: float, until: float) -> float:
        return quantiles([each.seconds for each in self.got if since <= each.began < until], n=20)[-1]


def _digest(picture: bytes) -> str:
    """Of a whole one."""
    inspect(picture)
    return hashlib.sha256(picture).hexdigest()


@pytest.fixture
def door() -> Iterator[S3Door]:
    with S3Door() as door:
        yield door


@pytest.fixture
def cluster(door: S3Door) -> Iterator[Cluster]:
    bucket = f"test-{secrets.token_hex(8)}"
    make_bucket(os.environ["TEST_S3_URL"], bucket)
    with running_cluster(
        R2_ENDPOINT=door.url,
        R2_BUCKET=bucket,
        R2_ACCESS_KEY_ID=ACCESS_KEY_ID,
        R2_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY,
    ) as cluster:
        yield cluster


@pytest.mark.timeout(600)
@pytest.mark.parametrize("end", ["killed", "stopped"])
async def test_while_s3_is_away_every_caller_gets_its_picture_and_then_s3_gets_them(
    cluster: Cluster, door: S3Door, figures: Figures, end: str, *, full: bool
) -> None:
    if end == "stopped" and not full:
        pytest.skip("in ./nb chaos")
    length = Length(rate=8, calm_s=20, trouble_s=90) if full else Length(rate=8, calm_s=3, trouble_s=3)
    callers, calm = Callers(), time.time()
    async with client_of(cluster.service) as client:
        async with Load(client, rate=length.rate, waits_s=(WAIT_S,), note=callers.note) as load:
            await figures.wait("all is well", seconds=length.calm_s)
            began = time.time()
            door.shut() if end == "killed" else door.hang()
            await figures.wait(f"S3 is {end}", seconds=length.trouble_s)
            door.open() if end == "killed" else door.go_on()
            ended = time.time()
            await figures.wait("all is well again", seconds=length.calm_s)
        await until_all_has_ended(cluster.database_url, within_s=60)
        moved_s = await _until_all_is_stored(cluster.database_url) - ended
        links = [await _link(client, got.id) for got in callers.got]

    figures.note("orders", len(load.began_at))
    figures.note(
        "of them answered with the picture itself", sum(got.digest is not None for got in callers.got)
    )
    figures.expect("answers other than 200", load.answers.total() - load.answers[200], is_=0)
    before_s, during_s = callers.p95_s(since=calm, until=began), callers.p95_s(since=began, until=ended)
    figures.note("p95 of an order before, s", round(before_s, 2))
    figures.note("p95 of an order in the outage, s", round(during_s, 2))
    figures.expect_at_most("the difference, s", during_s - before_s, LONGER_AT_MOST_S)
    figures.note("slowest answer, s", round(load.slowest_s, 2))
    figures.expect_at_most("all is in S3 after s", moved_s, length.calm_s + LOOKS_S)
    async with AsyncClient(verify=False) as s3:
        stored = [_digest((await s3.get(link)).content) for link in links]
    differing = sum(got.digest not in {None, found} for got, found in zip(callers.got, stored, strict=True))
    figures.expect("pictures in S3 other than the callers'", differing, is_=0)
    figures.expect("pictures that still wait", await _waiting(cluster.database_url), is_=0)
    books = await books_of(cluster.database_url)
    figures.expect("of the orders ended with an image", books.states["succeeded"], is_=len(load.began_at))
    google = Google(cluster.sandbox_url, cluster.google_key)
    drawn = sum(call["made_picture"] for call in google.received())
    figures.expect("pictures drawn", drawn, is_=len(load.began_at))
    books.show(figures, accepted=load.ids, drawn=drawn)
    figures.hold()


async def _until_all_is_stored(database_url: str) -> float:
    """The moment."""
    async with asyncio.timeout(60):
        while await _number(
            database_url, "select count(*) from generations where image_place is distinct from 'store'"
        ):
            await asyncio.sleep(0.1)
    return time.time()


async def _waiting(database_url: str) -> int:
    return await _number(database_url, "select count(*) from image_bytes")


async def _number(database_url: str, query: str) -> int:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row = await (await connection.execute(query)).fetchone()
    assert row
    return int(row[0])


async def _link(client: AsyncClient, id: str) -> str:
    body = (await client.get(f"/v1/generations/{id}")).json()
    assert body["stored"]
    return str(body["url"])
