"""PostgreSQL ends under load, in order or as in a crash, and is started again."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import psycopg
import pytest

from nanobanana.settings import Settings
from nanobanana.storage.embedded.servers import running_servers
from tests.chaos.books import books_of, until_all_has_ended
from tests.chaos.figures import Figures
from tests.chaos.load import Load, client_of
from tests.cli.serving import Service, serving
from tests.google import Google

# A statement's patience, and the wait for the image.
LONGEST_ANSWER_S = 10 + 5
# As an operator restarts it, and as it dies.
ENDS = (signal.SIGINT, signal.SIGQUIT)


@dataclass(frozen=True)
class Length:
    restarts: int
    pause_s: float


@pytest.fixture
def google(sandbox_url: str) -> Google:
    return Google(sandbox_url)


@pytest.fixture
def service(data_dir: Path, google: Google) -> Iterator[Service]:
    """With its own PostgreSQL, which this test may stop."""
    settings = {
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "GEMINI_API_KEY": google.key,
        "GEMINI_BASE_URL": google.url,
        "LOG_LEVEL": "error",
    }
    with serving(data_dir, factory=None, workers=3, settings=settings) as service:
        yield service


@pytest.fixture
def database_url(service: Service) -> Iterator[str]:
    with running_servers(Settings(data_dir=service.data_dir)) as settings:
        assert settings.database_url
        yield settings.database_url.get_secret_value()


@pytest.mark.timeout(300)
async def test_every_order_gets_its_one_image_although_postgres_is_restarted_under_it(
    service: Service, database_url: str, google: Google, figures: Figures, *, full: bool
) -> None:
    length = Length(restarts=8, pause_s=8) if full else Length(restarts=1, pause_s=1)
    processes, away_s = service.web_processes(), []
    async with client_of(service) as client, Load(client, rate=12, waits_s=(5, 0)) as load:
        await figures.wait("all is well", seconds=length.pause_s)
        for end in islice(cycle(ENDS), length.restarts):
            away_s.append(await _restart(service, database_url, end))
            await figures.wait(f"PostgreSQL is back after {end.name}", seconds=length.pause_s)
    if not full:
        _end_leases(database_url)
    settled_s = await until_all_has_ended(database_url, within_s=60)

    figures.note("restarts", length.restarts)
    figures.note("PostgreSQL away, s at most", round(max(away_s), 2))
    figures.note("orders", len(load.began_at))
    figures.note("answers", {**load.answers, **load.codes, "connection broke": load.broken})
    figures.note("all has ended after s", round(settled_s, 1))
    figures.expect("answers other than 200, 202, 503", set(load.answers) - {200, 202, 503}, is_=set())
    figures.expect_at_most("slowest answer, s", load.slowest_s, LONGEST_ANSWER_S)
    figures.expect("connections broken", load.broken, is_=0)
    figures.expect("the web processes are the same", service.web_processes() == processes, is_=True)
    books = await books_of(database_url)
    figures.expect("of the orders ended with an image", books.states["succeeded"], is_=len(load.began_at))
    figures.expect("generations beside", books.states.total() - books.states["succeeded"], is_=0)
    books.show(figures, accepted=load.ids, drawn=sum(call["made_picture"] for call in google.received()))
    figures.hold()


async def _restart(service: Service, database_url: str, end: signal.Signals) -> float:
    """The seconds until it answers again."""
    (postmaster,) = service.postmasters()
    os.kill(postmaster, end)
    began = time.monotonic()
    async with asyncio.timeout(30):
        while postmaster in service.postmasters() or not await _answers(database_url):
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def _answers(database_url: str) -> bool:
    try:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


def _end_leases(database_url: str) -> None:
    """In place of the seconds that they still run: whoever worked under them could not settle."""
    with psycopg.connect(database_url) as connection:
        connection.execute("update generations set lease_until = now() where state = 'running'")
