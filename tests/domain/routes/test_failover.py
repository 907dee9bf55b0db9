"""Which route serves, and what a request costs when one does not."""

import asyncio
from unittest.mock import AsyncMock

import pytest

from nanobanana.domain.routes import breakers
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.domain.routes.service import Routes
from nanobanana.integrations.google.errors import (
    BadRequestError,
    NoImageError,
    PolicyRefusalError,
    UnavailableError,
)
from nanobanana.integrations.google.types import ImageRequest
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

GONE = "gemini-retired-image"


@pytest.mark.parametrize(
    "trouble",
    [
        "api_key_invalid",
        "api_key_leaked",
        "prepayment_depleted",
        "billing_needed",
        "account_limited",
        "quota_zero",
    ],
)
async def test_the_standby_serves_within_the_request_that_finds_the_primary_out(
    google: Google, routes: RoutesFactory, trouble: str
) -> None:
    await google.will("primary", trouble)
    both = routes("primary", "standby")

    first, second = await ask(both), await ask(both)

    assert (first.image.model, first.lost_attempts, second.lost_attempts) == (MODEL, 0, 0)
    assert (await google.calls("primary"), await google.calls("standby")) == (1, 2)
    assert states(both) == {"primary": "out", "standby": "operational"}


@pytest.mark.parametrize("quota", ["quota_minute", "quota_day"])
async def test_the_standby_serves_within_the_request_that_uses_the_primarys_quota_up(
    google: Google, routes: RoutesFactory, quota: str
) -> None:
    await google.will("primary", quota)
    both = routes("primary", "standby")

    await ask(both)
    await ask(both)

    assert (await google.calls("primary"), await google.calls("standby")) == (1, 2)


async def test_a_route_that_is_out_takes_all_its_models_with_it(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "api_key_leaked")
    only = routes("primary", models=(MODEL, LITE))

    with pytest.raises(NoRouteError) as caught:
        await ask(only)

    assert [health.state for health in only.health()] == ["out", "out"]
    assert (await google.calls("primary"), only.room(), caught.value.retry_after_s) == (1, 0, 300)


async def test_the_same_model_by_another_route_comes_before_another_model(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "quota_minute")
    await google.will("standby", "quota_minute")
    both = routes("primary", "standby", models=(MODEL, LITE))

    served = await ask(both)

    assert served.image.model == LITE
    assert await google.models_asked("standby") == [MODEL]
    assert await google.models_asked("primary") == [MODEL, LITE]


async def test_a_model_that_is_gone_is_skipped_reported_and_asked_again_after_ten_minutes(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    only = routes("primary", models=(GONE, LITE))

    with logged_by(breakers) as logs:
        for minute in (0, 5, 9, 10):
            clock.now = NOON + minute * 60
            assert (await ask(only)).image.model == LITE

    assert await google.models_asked("primary") == [GONE, LITE, LITE, LITE, GONE, LITE]
    first = logs[0]
    assert (first["model"], first["state"], first["reason"]) == (GONE, "open", "model_gone")


async def test_with_every_model_gone_nobody_is_asked_for_ten_minutes(
    google: Google, routes: RoutesFactory
) -> None:
    only = routes("primary", models=(GONE, "imagen-retired"))

    for _ in range(2):
        with pytest.raises(NoRouteError):
            await ask(only)

    assert await google.models_asked("primary") == [GONE, "imagen-retired"]


async def test_a_failure_of_google_is_tried_again_by_the_other_route_first(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "overloaded", "ok")
    await google.will("standby", "overloaded")

    served = await ask(routes("primary", "standby", models=(MODEL, LITE)))

    assert served.image.model == MODEL
    assert (await google.calls("primary"), await google.calls("standby")) == (2, 1)


async def test_nobody_waits_for_the_quota_of_one_route_before_asking_the_other_again(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "overloaded", "ok")
    await google.will("standby", "quota_minute=25")

    async with asyncio.timeout(10):
        await ask(routes("primary", "standby"))

    assert (await google.calls("primary"), await google.calls("standby")) == (2, 1)


async def test_three_calls_are_the_most_for_one_request(google: Google, routes: RoutesFactory) -> None:
    await google.will("primary", *["overloaded"] * 4)

    with pytest.raises(NoRouteError) as caught:
        await ask(routes("primary"))

    assert await google.calls("primary") == 3
    assert isinstance(caught.value.cause, UnavailableError)


@pytest.mark.parametrize(
    ("refusal", "error", "calls", "lost"),
    [
        ("image_safety", PolicyRefusalError, 1, 1),
        ("prompt_blocked", PolicyRefusalError, 1, 0),
        ("ratio_not_enabled", BadRequestError, 1, 0),
        ("no_image", NoImageError, 2, 2),
        ("image_other", NoImageError, 2, 2),
    ],
)
async def test_a_refusal_is_final_and_a_missing_picture_worth_one_more_try(
    google: Google, routes: RoutesFactory, refusal: str, error: type[Exception], calls: int, lost: int
) -> None:
    await google.will("primary", *[refusal] * 3)
    both = routes("primary", "standby")
    await google.will("standby", *[refusal] * 3)

    with pytest.raises(NotServedError) as caught:
        await ask(both)

    assert isinstance(caught.value.cause, error)
    assert await google.calls("primary") + await google.calls("standby") == calls
    assert caught.value.lost_attempts == lost
    assert states(both) == {"primary": "operational", "standby": "operational"}


@pytest.mark.parametrize("failure", ["reset", "truncate", "short_body", "deadline"])
async def test_what_google_may_have_charged_for_is_tried_once_more_and_counted(
    google: Google, routes: RoutesFactory, failure: str
) -> None:
    await google.will("primary", failure, "ok", *[failure] * 3)
    only = routes("primary")

    note_loss = AsyncMock()
    assert (await ask(only, note_loss=note_loss)).lost_attempts == note_loss.await_count == 1
    with pytest.raises(NotServedError) as caught:
        await ask(only)

    assert (caught.value.lost_attempts, await google.calls("primary")) == (2, 4)


async def test_one_loss_is_noted_and_the_request_may_wait_when_the_retry_then_fails_for_free(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "reset", "overloaded", "overloaded")
    note_loss = AsyncMock()

    with pytest.raises(NoRouteError):
        await ask(routes("primary"), note_loss=note_loss)

    note_loss.assert_awaited_once()


async def test_a_loss_for_which_there_is_no_time_to_ask_again_is_noted_and_the_request_may_wait(
    google: Google, routes: RoutesFactory, clock: Clock
) -> None:
    await google.will("primary", "reset")
    note_loss = AsyncMock()

    async def late() -> None:
        clock.now += 61
        await note_loss()

    with pytest.raises(NoRouteError):
        await ask(routes("primary"), deadline=NOON + 60, note_loss=late)

    note_loss.assert_awaited_once()
    assert await google.calls("primary") == 1


async def test_what_was_lost_before_counts_so_that_nobody_pays_three_times(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", "reset", "reset")
    request = ImageRequest(prompt="a hill", width=1024, height=1024)

    with pytest.raises(NotServedError) as caught:
        async with routes("primary").generate(request, deadline=4e9, note_loss=AsyncMock(), lost_before=1):
            pass

    assert caught.value.lost_attempts == 1
    assert await google.calls("primary") == 1


async def test_sixty_at_once_lose_nothing_but_time_when_the_line_breaks(
    google: Google, routes: RoutesFactory
) -> None:
    await google.will("primary", *["reset"] * 60)
    both = routes("primary", "standby")

    async def one() -> str:
        try:
            await ask(both)
        except NoRouteError:
            return "may wait"
        return "image"

    outcomes = await asyncio.gather(*(one() for _ in range(60)))

    assert set(outcomes) <= {"image", "may wait"}


async def test_no_try_begins_after_the_deadline(google: Google, routes: RoutesFactory) -> None:
    await google.will("primary", "quota_minute=30", "overloaded")
    only = routes("primary")

    with pytest.raises(NoRouteError):
        await ask(only, deadline=NOON - 0.001)
    assert await google.calls("primary") == 0

    with pytest.raises(NoRouteError):
        await ask(only, deadline=NOON)
    assert await google.calls("primary") == 1


async def test_a_retry_whose_wait_would_end_after_the_deadline_is_left_undone(
    google: Google, routes: RoutesFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nanobanana.domain.routes.rules._PAUSES_S", (1e9, 1e9))
    await google.will("primary", "overloaded")

    with pytest.raises(NoRouteError):
        await ask(routes("primary"), deadline=NOON + 1)

    assert await google.calls("primary") == 1


async def test_a_full_route_gives_way_to_the_next_and_full_ones_to_nobody(
    google: Google, routes: RoutesFactory
) -> None:
    both = routes("primary", "standby", calls_at_once=1)
    slow = "a hill [sandbox:latency=0.5]"
    assert both.room() == 2

    first = asyncio.create_task(ask(both, slow))
    second = asyncio.create_task(ask(both, slow))
    while both.room():
        await asyncio.sleep(0.01)
    with pytest.raises(NoRouteError) as caught:
        await ask(both)

    assert caught.value.retry_after_s == 1
    await asyncio.gather(first, second)
    assert (await google.calls("primary"), await google.calls("standby"), both.room()) == (1, 1, 2)


async def test_an_error_of_whoever_uses_the_picture_is_no_failure_of_the_route(
    google: Google, routes: RoutesFactory
) -> None:
    only = routes("primary")

    for _ in range(6):
        with pytest.raises(UnavailableError):
            await _use_badly(only)

    assert (states(only), await google.calls("primary")) == ({"primary": "operational"}, 6)


async def _use_badly(routes: Routes) -> None:
    request = ImageRequest(prompt="a hill", width=1024, height=1024)
    async with routes.generate(request, deadline=4e9, note_loss=AsyncMock()):
        raise UnavailableError("the caller's own")
