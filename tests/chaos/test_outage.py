"""Google is away, or an account of ours there, while orders come in as ever."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from itertools import pairwise

import pytest

from nanobanana.domain.routes.rules import FAILURES_TO_OPEN, LONGEST_COOL_DOWN_S, SHORTEST_COOL_DOWN_S
from nanobanana.settings import Settings
from tests.chaos.books import books_of, until_all_has_ended
from tests.chaos.figures import Figures
from tests.chaos.load import Load, client_of
from tests.concurrency.cluster import running_cluster
from tests.google import Google

WORKERS = 3
MODELS = len(Settings().gemini_models)
# No probe is sent sooner, and by then all processes know that the breakers are open.
OPENED_WITHIN_S = 0.8 * SHORTEST_COOL_DOWN_S - 0.5
# A look at the queue, one at the other processes, and the picture itself.
LOOKS_S = 3


@dataclass(frozen=True)
class Length:
    """`rate` is of orders, a second."""

    rate: float
    calm_s: float
    trouble_s: float


@pytest.mark.timeout(1200)
async def test_an_outage_loses_nothing_and_google_is_left_alone_until_it_is_back(
    figures: Figures, *, full: bool
) -> None:
    length = Length(rate=8, calm_s=10, trouble_s=600) if full else Length(rate=20, calm_s=1, trouble_s=3.5)
    with running_cluster() as cluster:
        google = Google(cluster.sandbox_url, cluster.google_key)
        async with client_of(cluster.service) as client:
            async with Load(client, rate=length.rate, waits_s=(0, 5)) as load:
                await figures.wait("all is well", seconds=length.calm_s)
                google.always_answers("unavailable")
                began = time.time()
                await figures.wait("Google is away", seconds=length.trouble_s)
                google.recovers()
                ended = time.time()
                back_at = await _first_picture_after(google, ended)
                await figures.wait("all is well again", seconds=length.calm_s)
            figures.note("orders", len(load.began_at))
            settled_s = await until_all_has_ended(cluster.database_url, within_s=120)
            figures.note("the queue is worked off after s", round(settled_s, 1))
        _show_calls(figures, google, load, began, ended, back_at)
        _show_answers(figures, load)
        books = await books_of(cluster.database_url)
        figures.expect("of the orders ended with an image", books.states["succeeded"], is_=len(load.began_at))
        drawn = sum(call["made_picture"] for call in google.received())
        books.show(figures, accepted=load.ids, drawn=drawn)
    figures.hold()


async def _first_picture_after(google: Google, moment: float) -> float:
    async with asyncio.timeout(2 * LONGEST_COOL_DOWN_S):
        while True:
            for call in google.received():
                if call["made_picture"] and call["received_at"] >= moment:
                    return call["received_at"]
            await asyncio.sleep(0.2)


def _show_calls(
    figures: Figures, google: Google, load: Load, began: float, ended: float, back_at: float
) -> None:
    asked = load.count(since=began, until=ended)
    calls = [call["received_at"] for call in google.received() if began <= call["received_at"] < ended]
    opening = [at for at in calls if at < began + OPENED_WITHIN_S]
    probes = [at for at in calls if at >= began + OPENED_WITHIN_S]
    figures.note("orders in the outage", asked)
    # A picture that was on its way when the outage began is a sign of health: the failures before it are forgotten.
    most = (2 * FAILURES_TO_OPEN - 1) * MODELS * WORKERS
    figures.expect_at_most("calls until all breakers are open", len(opening), most)
    figures.expect_at_most("calls from then on, % of the orders", 100 * len(probes) / asked, 2)
    # Each cool-down is twice the one before.
    tried = 1 + sum(later - earlier > 1 for earlier, later in pairwise([began, *probes]))
    interval = min(SHORTEST_COOL_DOWN_S * 2 ** (tried - 1), LONGEST_COOL_DOWN_S)
    figures.expect_at_most("first picture after s", back_at - ended, interval + LOOKS_S)


def _show_answers(figures: Figures, load: Load) -> None:
    figures.note("answers", dict(load.answers))
    figures.expect("answers other than 200 and 202", load.answers.total() - _good(load), is_=0)
    figures.expect("connections broken", load.broken, is_=0)


def _good(load: Load) -> int:
    return load.answers[200] + load.answers[202]


@pytest.mark.timeout(300)
async def test_an_account_suspended_under_load_is_nothing_that_any_caller_notices(
    figures: Figures, *, full: bool
) -> None:
    length = Length(rate=12, calm_s=30, trouble_s=30) if full else Length(rate=12, calm_s=1, trouble_s=2)
    standby_key = f"test-{secrets.token_hex(8)}"
    with running_cluster(GEMINI_STANDBY_API_KEY=standby_key) as cluster:
        primary = Google(cluster.sandbox_url, cluster.google_key)
        standby = Google(cluster.sandbox_url, standby_key)
        async with (
            client_of(cluster.service) as client,
            Load(client, rate=length.rate, waits_s=(60,)) as load,
        ):
            await figures.wait("all is well", seconds=length.calm_s)
            primary.always_answers("account_limited")
            began = time.time()
            await figures.wait("the primary account is suspended", seconds=length.trouble_s)
        figures.note("orders", len(load.began_at))
        figures.note("of them after the suspension", load.count(since=began, until=time.time()))
        figures.expect("answers 200", load.answers[200], is_=len(load.began_at))
        figures.expect("other answers", load.answers.total() - load.answers[200], is_=0)
        figures.note("slowest answer, s", round(load.slowest_s, 2))
        asked = sum(call["received_at"] >= began for call in primary.received())
        figures.expect_at_most("calls of the suspended account", asked, 2 * length.rate)
        books = await books_of(cluster.database_url)
        drawn = sum(call["made_picture"] for google in (primary, standby) for call in google.received())
        books.show(figures, accepted=load.ids, drawn=drawn)
    figures.hold()
