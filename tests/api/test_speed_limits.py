"""How fast an account and its keys may go: exact on both sides, and never unlimited."""

import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest
from httpx2 import AsyncClient, Response
from pydantic import SecretStr

from nanobanana.app import create_app
from nanobanana.domain.api_keys import service as api_keys_service
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.conftest import in_memory
from tests.people import Person, sign_up
from tests.plans import AN_IMAGE, put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")

BANANA = "a banana"
SLOW = "a banana [sandbox:latency=0.6]"


async def ask(client: AsyncClient, key: str, prompt: str = BANANA, **headers: str) -> Response:
    by_key = {"Authorization": f"Bearer {key}", **headers}
    return await client.post("/v1/generate", json={"prompt": prompt}, headers=by_key)


async def statuses(client: AsyncClient, key: str, prompts: list[str]) -> list[int]:
    return [(await ask(client, key, prompt)).status_code for prompt in prompts]


async def new_key(client: AsyncClient, person: Person, **settings: object) -> str:
    return (await client.post("/v1/keys", json=settings, headers=person.by_session)).json()["key"]


async def test_an_account_gets_the_images_of_its_plans_hour_and_no_more(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    plan = await put_on_plan(services, alice, images_per_hour=3)
    await services.billing.move(email=charlie.email, plan=plan)

    assert await statuses(client, alice.key, [BANANA] * 4) == [200, 200, 200, 429]
    assert await statuses(client, charlie.key, [BANANA]) == [200]


async def test_a_second_key_does_not_double_the_accounts_hour(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=2)
    second = await new_key(client, alice)

    asked = [(await ask(client, key)).status_code for key in (alice.key, second, second, alice.key)]

    assert asked == [200, 200, 429, 429]


async def test_a_key_has_its_own_hour_within_that_of_the_account(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=3)
    slow_key = await new_key(client, alice, images_per_hour=2)

    assert await statuses(client, slow_key, [BANANA] * 3) == [200, 200, 429]
    assert await statuses(client, alice.key, [BANANA] * 2) == [200, 429]


async def test_forty_at_once_get_exactly_what_the_hour_has(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=7)

    answers = await asyncio.gather(*(ask(client, alice.key) for _ in range(40)))

    assert Counter(answer.status_code for answer in answers) == {200: 7, 429: 33}


async def test_test_keys_have_a_thousand_an_hour_of_their_own(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_on_plan(services, alice, images_per_hour=1)
    first = await ask(client, alice.test_key)
    assert first.headers["ratelimit-policy"] == '"hour";q=1000;w=3600'
    monkeypatch.setattr("nanobanana.domain.generation.speed_limits.TEST_IMAGES_PER_HOUR", 3)

    assert await statuses(client, alice.test_key, [BANANA] * 3) == [200, 200, 429]
    assert await statuses(client, alice.key, [BANANA, BANANA]) == [200, 429]


async def test_an_outage_and_a_402_give_the_token_back_and_a_policy_refusal_does_not(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE, images_per_hour=2)
    prompts = [BANANA, BANANA]
    assert await statuses(client, alice.key, prompts) == [402, 402]

    await services.billing.credit(email=alice.email, micro_usd=10 * AN_IMAGE)
    outages = ["a banana [sandbox:no_image]", "a banana [sandbox:truncate]"]
    assert await statuses(client, alice.key, outages) == [503, 503]

    assert await statuses(client, alice.key, ["[sandbox:image_safety]", BANANA, BANANA]) == [422, 200, 429]


async def test_a_repeated_idempotency_key_costs_one_token(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=2)
    same = {"Idempotency-Key": "order 17".replace(" ", "-")}

    once, again, twice = [await ask(client, alice.key, **same) for _ in range(3)]

    assert once.json()["id"] == again.json()["id"] == twice.json()["id"]
    assert await statuses(client, alice.key, [BANANA, BANANA]) == [200, 429]
    assert (await ask(client, alice.key, **same)).status_code == 200


@pytest.mark.parametrize(
    ("prompt", "ends"),
    [(BANANA, 200), ("[sandbox:truncate]", 503), ("[sandbox:image_safety]", 422)],
)
async def test_a_place_in_flight_is_free_again_however_the_work_ends(
    client: AsyncClient, alice: Person, services: Services, prompt: str, ends: int
) -> None:
    await put_on_plan(services, alice, images_in_flight=1)

    assert await statuses(client, alice.key, [prompt, prompt, BANANA]) == [ends, ends, 200]


@pytest.mark.parametrize("age_s", [60, 3_000])
async def test_a_place_in_flight_outlasts_the_queue_by_ten_minutes_and_no_header_tells_of_it(
    settings: Settings, age_s: int
) -> None:
    app = create_app(settings.model_copy(update={"queue_max_age_s": age_s}))
    async with app.router.lifespan_context(app), in_memory(app) as client:
        alice, services = await sign_up(client, "alice@example.com"), app.state.services
        await put_on_plan(services, alice, images_in_flight=1, images_per_hour=5)

        answer = await ask(client, alice.key)

        verdict = await services.generations._speed_limits.look(await services.api_keys.resolve(alice.key))
        windows = {window.limit.name: window.limit.window_s for window in verdict.windows}
        assert windows == {"hour": 3_600, "in_flight": age_s + 600}
        assert answer.headers["ratelimit-policy"] == '"hour";q=5;w=3600'


async def test_a_402_leaves_nothing_in_flight(client: AsyncClient, alice: Person, services: Services) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE, images_in_flight=1)

    refused = await statuses(client, alice.key, [BANANA, BANANA])
    await services.billing.credit(email=alice.email, micro_usd=AN_IMAGE)

    assert refused + await statuses(client, alice.key, [BANANA]) == [402, 402, 200]


async def test_more_in_flight_than_the_plan_has_is_429_for_two_seconds(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_in_flight=2, images_per_hour=10)
    later = {"Prefer": "respond-async"}

    begun = [await ask(client, alice.key, SLOW, **later) for _ in range(2)]
    refused = await ask(client, alice.key)

    assert [answer.status_code for answer in begun] == [202, 202]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    async with asyncio.timeout(10):
        while (await ask(client, alice.key)).status_code == 429:
            await asyncio.sleep(0.1)


async def test_a_full_hour_says_when_the_hour_has_room_though_the_flight_is_full_too(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_in_flight=1, images_per_hour=1)
    await ask(client, alice.key, SLOW, Prefer="respond-async")

    refused = await ask(client, alice.key)

    assert refused.status_code == 429
    assert 3590 <= int(refused.headers["retry-after"]) <= 3600


async def test_another_plan_holds_at_once_for_the_month_and_within_five_seconds_for_the_hour(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(api_keys_service, "time", SimpleNamespace(monotonic=lambda: clock.now))
    await put_on_plan(services, alice, images_per_hour=1)
    assert await statuses(client, alice.key, [BANANA, BANANA]) == [200, 429]

    await put_on_plan(services, alice, images_per_hour=3, images_per_month=2)
    clock.now = 5.0

    assert await statuses(client, alice.key, [BANANA, BANANA]) == [200, 402]
    await put_on_plan(services, alice, images_per_month=3)
    assert await statuses(client, alice.key, [BANANA, BANANA]) == [200, 429]


class TestWithRedisGone:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        gone = SecretStr("redis://127.0.0.1:1/0")
        return settings.model_copy(update={"redis_url": gone, "web_processes": 2})

    async def test_each_process_grants_its_share_of_every_limit(
        self, client: AsyncClient, alice: Person, services: Services
    ) -> None:
        await put_on_plan(services, alice, images_per_hour=6)
        slow_key = await new_key(client, alice, images_per_hour=2)

        assert await statuses(client, slow_key, [BANANA] * 2) == [200, 429]
        assert await statuses(client, alice.key, [BANANA] * 3) == [200, 200, 429]

    async def test_both_processes_together_grant_no_more_than_the_plan(
        self, client: AsyncClient, alice: Person, services: Services, settings: Settings
    ) -> None:
        await put_on_plan(services, alice, images_per_hour=6)
        other = create_app(settings)
        async with other.router.lifespan_context(other), in_memory(other) as second:
            asked = [(await ask(c, alice.key)).status_code for c in [client, second] * 5]

        assert Counter(asked) == {200: 6, 429: 4}

    async def test_what_is_given_back_is_there_again(
        self, client: AsyncClient, alice: Person, services: Services
    ) -> None:
        await put_on_plan(services, alice, images_per_hour=2, images_in_flight=2)
        prompts = ["[sandbox:truncate]"] * 2 + [BANANA] * 2

        assert await statuses(client, alice.key, prompts) == [503, 503, 200, 429]
