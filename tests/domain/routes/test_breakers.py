"""When a route is left alone, and how it comes back."""

import asyncio
from contextlib import suppress

import pytest

from nanobanana.domain.routes import breakers
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.domain.routes.rules import FAILURES_TO_OPEN, OUT_PROBE_S, PROBE_LEASE_S
from nanobanana.domain.routes.service import Routes
from tests.domain.routes.conftest import (
    LITE,
    MODEL,
    NOON,
    Clock,
    Google,
    RoutesFactory,
    ask,
    states,
)
from tests.logs import logged_by


async def fail(routes: Routes, *, times: int = 1, prompt: str = "a hill [sandbox:overloaded]") -> None:
    for _ in range(times):
        with suppress(NoRouteError, NotServedError):
            await ask(routes, prompt)


async def test_five_failures_open_the_breaker_and_the_next_request_leaves_the_primary_alone(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", *["overloaded"] * FAILURES_TO_OPEN)
    both = routes("primary", "standby")

    for _ in range(FAILURES_TO_OPEN):
        assert states(both)["primary"] == "operational"
        await ask(both)
    await ask(both)

    assert states(both)["primary"] == "open"
    assert await google.calls("primary") == FAILURES_TO_OPEN


async def test_a_picture_between_failures_begins_the_count_anew(
    google: Google, routes: RoutesFactory
) -> None:
    script = (["overloaded"] * (FAILURES_TO_OPEN - 1) + ["ok"]) * 2
    await google.will("primary", *script)
    both = routes("primary", "standby")

    for _ in script:
        await ask(both)

    assert states(both)["primary"] == "operational"
    assert await google.calls("primary") == len(script)


@pytest.mark.parametrize("refusal", ["image_safety", "prompt_blocked", "ratio_not_enabled", "no_image"])
async def test_refusals_never_open_it(google: Google, routes: RoutesFactory, refusal: str) -> None:
    only = routes("primary")

    await fail(only, times=3 * FAILURES_TO_OPEN, prompt=f"a hill [sandbox:{refusal}]")

    assert states(only) == {"primary": "operational"}


async def test_a_429_that_names_no_quota_counts_as_one_failure(google: Google, routes: RoutesFactory) -> None:
    await google.will("primary", "vertex_capacity")
    both = routes("primary", "standby")

    await ask(both)

    assert states(both)["primary"] == "operational"


async def test_one_of_50_requests_at_once_probes_and_its_success_lets_two_in(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=7", "latency=0.3,ok")
    only = routes("primary")
    await fail(only, prompt="a hill")
    assert (states(only), only.room()) == ({"primary": "open"}, 0)

    clock.now = NOON + 6.9
    await fail(only, prompt="a hill")
    assert await google.calls("primary") == 1
    clock.now = NOON + 7
    assert only.room() == 1
    answers = await asyncio.gather(*(ask(only) for _ in range(50)), return_exceptions=True)

    assert await google.calls("primary") == 2
    assert sum(isinstance(answer, NoRouteError) for answer in answers) == 49
    assert (states(only), only.room()) == ({"primary": "operational"}, 2)
    await google.will("primary", *["latency=0.3,ok"] * 2)
    answers = await asyncio.gather(*(ask(only) for _ in range(50)), return_exceptions=True)
    assert await google.calls("primary") == 4
    assert sum(isinstance(answer, NoRouteError) for answer in answers) == 48


async def test_after_a_reopening_the_room_doubles_with_each_success_until_it_is_whole_again(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", *["ok"] * 4, "overloaded", "ok", "ok")
    both = routes("primary", "standby", calls_at_once=10)
    await ask(both)
    clock.now += 5

    rooms = []
    for _ in range(4):
        await ask(both)
        rooms.append(both.room() - 10)
    assert rooms == [2, 4, 8, 10]

    await ask(both)
    assert (states(both)["primary"], both.room()) == ("operational", 20)


@pytest.mark.parametrize("successes", [1, 3])
async def test_while_the_room_grows_a_failure_halves_it_and_shuts_nothing(
    google: Google, routes: RoutesFactory, clock: Clock, successes: int
) -> None:
    await google.will("primary", "quota_minute=5", *["ok"] * successes, "overloaded", "ok")
    both = routes("primary", "standby", calls_at_once=10)
    await ask(both)
    clock.now += 5

    for _ in range(successes + 1):
        await ask(both)

    assert (states(both)["primary"], both.room()) == ("operational", 10 + 2**successes // 2)
    await ask(both)
    assert both.room() == 10 + 2**successes


async def test_one_model_that_comes_back_leaves_the_room_of_the_other_as_it_is(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5")
    only = routes("primary", models=(MODEL, LITE))
    await ask(only)
    clock.now += 5
    await ask(only)

    slow = [asyncio.create_task(ask(only, "a hill [sandbox:latency=0.3]")) for _ in range(20)]
    await asyncio.gather(*slow)

    asked = await google.models_asked("primary")
    assert (asked[-20:].count(MODEL), asked[-20:].count(LITE)) == (2, 18)


async def test_a_probe_keeps_others_waiting_as_long_as_its_process_minds_it_and_for_its_lease(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "hang")
    only = routes("primary")
    await fail(only, prompt="a hill")
    clock.now += 5
    probe = asyncio.create_task(ask(only))
    while await google.calls("primary") < 2:
        await asyncio.sleep(0.01)

    for _ in range(30):
        clock.now += PROBE_LEASE_S - 0.1
        assert only.room() == 0
        await only.exchange()
    clock.now += PROBE_LEASE_S
    assert only.room() == 1

    probe.cancel()
    await asyncio.wait({probe})


@pytest.mark.parametrize(
    ("trouble", "longest"),
    [("quota_minute=5", 60), ("quota_day", 3_600), ("model_retired", 600), ("api_key_leaked", 86_400)],
)
async def test_a_clock_that_is_put_back_keeps_no_route_shut_for_longer_than_its_trouble_ever_does(
    google: Google, routes: RoutesFactory, clock: Clock, trouble: str, longest: float
) -> None:
    await google.will("primary", trouble)
    only = routes("primary")
    await fail(only, prompt="a hill")
    clock.now -= 1e6

    await only.exchange()

    clock.now += longest - 0.1
    await only.exchange()
    assert only.room() == 0
    clock.now += 0.1
    assert only.room() == 1
    await ask(only)


async def test_each_failed_probe_makes_the_next_wait_longer_up_to_a_minute(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    only = routes("primary")
    await fail(only, times=2)

    waits = []
    for _ in range(7):
        (health,) = only.health()
        assert health.until
        waits.append(health.until - clock.now)
        clock.now = health.until
        await fail(only)

    for wait, longest in zip(waits, (5, 10, 20, 40, 60, 60, 60), strict=True):
        assert 0.8 * longest <= wait <= longest
    assert await google.calls("primary") == FAILURES_TO_OPEN + 7
    (health,) = only.health()
    assert (health.state, health.since, health.reason) == ("open", NOON, "unavailable")


async def test_a_refusal_of_the_probe_is_an_answer_and_closes_the_breaker(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "image_safety")
    only = routes("primary")
    await fail(only, times=1, prompt="a hill")

    clock.now += 5
    await fail(only, prompt="a hill")

    assert states(only) == {"primary": "operational"}


async def test_the_quota_of_a_day_is_probed_once_an_hour_whatever_retry_info_says(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", *["quota_day=34"] * 9)
    only = routes("primary")

    for minute in range(0, 180, 10):
        clock.now = NOON + minute * 60
        await fail(only, prompt="a hill")

    assert await google.calls("primary") == 3
    assert only.health()[0].reason == "quota_day"


async def test_a_route_that_is_out_is_probed_the_next_day_and_comes_back_with_all_its_models(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "prepayment_depleted", "prepayment_depleted")
    only = routes("primary", models=(MODEL, LITE))
    await fail(only, prompt="a hill")

    clock.now = NOON + OUT_PROBE_S - 1
    await fail(only, prompt="a hill")
    assert await google.calls("primary") == 1

    clock.now += 1
    await fail(only, prompt="a hill")
    assert (await google.calls("primary"), states(only)) == (2, {"primary": "out"})

    clock.now += OUT_PROBE_S
    await ask(only)
    assert [health.state for health in only.health()] == ["operational", "operational"]


async def test_an_operator_brings_a_route_back_at_once(google: Google, routes: RoutesFactory) -> None:
    await google.will("primary", "api_key_leaked")
    only = routes("primary")
    await fail(only, prompt="a hill")

    await only.reopen("primary")

    await ask(only)
    assert states(only) == {"primary": "operational"}


async def test_a_probe_that_is_cancelled_lets_the_next_one_try(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5", "hang")
    only = routes("primary")
    await fail(only, prompt="a hill")
    clock.now += 5
    probe = asyncio.create_task(ask(only))
    while await google.calls("primary") < 2:
        await asyncio.sleep(0.01)

    probe.cancel()
    await asyncio.wait({probe})

    await ask(only)
    assert states(only) == {"primary": "operational"}


async def test_a_call_that_began_before_does_not_close_what_opened_meanwhile(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "latency=0.5,ok", "quota_day")
    only = routes("primary")
    slow = asyncio.create_task(ask(only))
    while not await google.calls("primary"):
        await asyncio.sleep(0.01)
    await fail(only, prompt="a hill")

    await slow

    assert states(only) == {"primary": "open"}


async def test_a_storm_of_failures_adds_a_tenth_of_the_calls_and_a_reserve(
    google: Google, routes: RoutesFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a breaker that never opens, so that nothing but the budget stands between the storm and Google
    monkeypatch.setattr("nanobanana.domain.routes.rules.FAILURES_TO_OPEN", 10**6)
    only = routes("primary")

    for _ in range(10):
        await asyncio.gather(*(fail(only) for _ in range(100)))

    calls = await google.calls("primary")
    assert 1_000 < calls <= 1_100 + 10


async def test_each_change_of_state_is_logged_once_without_the_key(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "quota_minute=5")
    only = routes("primary")

    with logged_by(breakers) as logs:
        await fail(only, times=3, prompt="a hill")
        clock.now += 5
        await ask(only)
        await ask(only)

    assert [(line["was"], line["state"]) for line in logs] == [
        ("operational", "open"),
        ("open", "half-open"),
        ("half-open", "operational"),
    ]
    assert google.keys["primary"] not in str(logs)
