"""Orders in an outage: they wait, in turns, for as long as anything may, and are told where they stand."""

import asyncio
from collections import Counter

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.app import create_app
from nanobanana.domain.generation import queue, queue_repository
from nanobanana.domain.routes.service import Routes
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.conftest import in_memory
from tests.google import Google
from tests.people import Person
from tests.plans import put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")

ORDER = {"prompt": "a banana"}
LATER = {"Prefer": "respond-async"}
OUTAGE = ["unavailable"] * 50


@pytest.fixture
def google(sandbox_url: str) -> Google:
    return Google(sandbox_url)


@pytest.fixture
def settings(settings: Settings, google: Google) -> Settings:
    return google.of(settings).model_copy(update={"queue_max_length": 3, "queue_max_age_s": 60})


class NoRoute:
    """Every process knows that none can be used, until it `ends`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = 0
        room = Routes.room
        monkeypatch.setattr(Routes, "room", lambda routes: room(routes) if self.room is None else self.room)

    def ends(self) -> None:
        self.room = None


@pytest.fixture
def no_route(monkeypatch: pytest.MonkeyPatch) -> NoRoute:
    # Places are a second old at most; here they are new.
    monkeypatch.setattr(queue, "_PLACES_LAST_S", 0)
    monkeypatch.setattr(queue, "_PLACES_LAST_AT_LEAST_S", 0)
    return NoRoute(monkeypatch)


async def ask(client: AsyncClient, person: Person, **headers: str) -> Response:
    return await client.post("/v1/generate", json=ORDER, headers={**person.by_key, **headers})


async def waiting(client: AsyncClient, person: Person, **headers: str) -> str:
    """The id of an order that was queued."""
    answer = await ask(client, person, **LATER, **headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    return answer.json()["id"]


async def cancel(client: AsyncClient, person: Person, id: str) -> Response:
    return await client.post(f"/v1/generations/{id}/cancel", headers=person.by_key)


async def shown(client: AsyncClient, person: Person, id: str, *, wait: int = 0) -> dict[str, object]:
    answer = await client.get(f"/v1/generations/{id}", params={"wait": wait}, headers=person.by_key)
    assert answer.status_code == 200
    return answer.json()


async def claimed(services: Services, *, limit: int) -> list[str]:
    works = await queue_repository.claim(services.database, limit=limit, max_age_s=60)
    return [work.generation.id for work in works]


async def grow_old(services: Services, id: str, *, by_s: float) -> None:
    await services.database.statement(
        "update generations set created_at = created_at - make_interval(secs => %(by_s)s) where id = %(id)s",
        {"by_s": by_s, "id": id},
    )


async def test_a_caller_in_a_short_outage_waits_and_gets_the_image(
    client: AsyncClient, alice: Person, services: Services, google: Google
) -> None:
    google.answers("unavailable", "quota_minute=0.3")

    answer = await ask(client, alice)

    assert answer.status_code == 200
    assert google.calls() == 3
    assert await services.billing.reconcile() == []


async def test_all_who_wait_for_a_route_get_their_image_though_it_takes_few_at_first(
    client: AsyncClient, alice: Person, services: Services, google: Google
) -> None:
    services.generations._queue._max_length = 100
    google.answers("quota_minute=0.3")

    answers = await asyncio.gather(*(ask(client, alice) for _ in range(12)))

    assert Counter(answer.status_code for answer in answers) == {200: 12}
    assert google.calls() == 13
    assert await services.billing.reconcile() == []


async def test_who_will_not_wait_that_long_gets_202_and_the_image_later(
    client: AsyncClient, alice: Person, google: Google
) -> None:
    google.answers(*OUTAGE)

    answer = await ask(client, alice, Prefer="wait=1")
    held = answer.json()
    google.recovers()
    made = await shown(client, alice, held["id"], wait=30)

    assert answer.status_code == 202
    assert (held["charge"]["state"], held["url"]) == ("held", None)
    assert (made["status"], made["charge"]["state"]) == ("succeeded", "captured")


async def test_while_there_is_no_route_google_is_not_asked_and_callers_see_their_place(
    client: AsyncClient, alice: Person, google: Google, no_route: NoRoute
) -> None:
    first, second = await waiting(client, alice), await waiting(client, alice)

    places = [(await shown(client, alice, id))["queue_position"] for id in (first, second)]
    listed = (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]

    assert places == [1, 2]
    assert [row["queue_position"] for row in listed] == [2, 1]
    assert google.calls() == 0
    no_route.ends()
    made = await shown(client, alice, second, wait=30)
    assert (made["status"], made["queue_position"]) == ("succeeded", None)


async def test_the_further_back_the_later_a_caller_is_told_to_ask_again(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    first = await waiting(client, alice)
    await services.database.statement(
        """
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, image_name, state, attempt)
        select 'gen_zzzzzzzzzzzzzzzzzzz' || n, account_id, api_key_id, mode, prompt, size, style, 'x' || n, 'queued', 0
        from generations, generate_series(100, 700) n
        """,
        {},
    )

    near = await client.get(f"/v1/generations/{first}", headers=alice.by_key)
    far = await client.get("/v1/generations/gen_zzzzzzzzzzzzzzzzzzz700", headers=alice.by_key)

    assert (near.json()["queue_position"], near.headers["retry-after"]) == (1, "2")
    assert (far.json()["queue_position"], far.headers["retry-after"]) == (602, "60")


async def test_as_many_wait_as_the_setting_says_and_the_next_is_503_with_nothing_held(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    await put_on_plan(services, alice, images_per_hour=4)
    for name in "abc":
        await waiting(client, alice, **{"Idempotency-Key": name})

    full = await ask(client, alice, **{"Idempotency-Key": "d"})
    again = await ask(client, alice, **LATER, **{"Idempotency-Key": "c"})

    error = full.json()["error"]
    assert (full.status_code, error["code"], error["charged"]) == (503, "overloaded", False)
    assert full.headers["retry-after"] == "60"
    assert full.headers["x-ratelimit-remaining-requests"] == "1"
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    assert await services.billing.reconcile() == []
    no_route.ends()
    async with asyncio.timeout(10):  # until those that wait have been taken up
        while (made := await ask(client, alice, **{"Idempotency-Key": "d"})).status_code == 503:
            await asyncio.sleep(0.02)
    assert made.status_code == 200


async def test_of_many_at_once_exactly_as_many_wait_as_may(
    client: AsyncClient, alice: Person, no_route: NoRoute
) -> None:
    answers = await asyncio.gather(*(ask(client, alice, **LATER) for _ in range(20)))

    assert Counter(answer.status_code for answer in answers) == {202: 3, 503: 17}


async def test_images_of_test_keys_never_wait(client: AsyncClient, alice: Person, no_route: NoRoute) -> None:
    made = await client.post("/v1/generate", json=ORDER, headers=alice.by_test_key)
    failed = await client.post(
        "/v1/generate", json={"prompt": "a banana [sandbox:unavailable]"}, headers=alice.by_test_key
    )

    assert (made.status_code, failed.status_code) == (200, 503)


async def test_what_has_waited_too_long_expires_and_is_told_and_charged_nothing(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    same = {"Idempotency-Key": "one"}
    old, young = await waiting(client, alice, **same), await waiting(client, alice)
    call = asyncio.create_task(ask(client, alice, **same))
    await grow_old(services, old, by_s=60)
    await grow_old(services, young, by_s=50)

    answer = await call

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "expired")
    assert (error["retryable"], error["charged"]) == (True, False)
    expired = await shown(client, alice, old)
    assert (expired["status"], expired["charge"]["state"]) == ("expired", "released")
    assert (await shown(client, alice, young))["status"] == "queued"
    assert await waiting(client, alice, **same) != old
    assert await services.billing.reconcile() == []


async def test_what_has_waited_too_long_is_not_made_any_more(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    old, young = await waiting(client, alice), await waiting(client, alice)
    await services.database.statement(
        "update generations set created_at = now() - interval '59 seconds' where id = %(id)s", {"id": young}
    )
    await grow_old(services, old, by_s=60)

    assert await claimed(services, limit=5) == [young]


async def test_accounts_take_turns_however_few_are_taken_up_at_a_time(
    client: AsyncClient, alice: Person, charlie: Person, services: Services, no_route: NoRoute
) -> None:
    services.generations._queue._max_length = 100
    many = [await waiting(client, alice) for _ in range(5)]
    few = [await waiting(client, charlie) for _ in range(2)]
    in_turn = [many[0], few[0], many[1], few[1], *many[2:]]

    places = [(await shown(client, alice, id))["queue_position"] for id in many]

    assert places == [1, 3, 5, 6, 7]
    assert [(await claimed(services, limit=1))[0] for _ in range(4)] == in_turn[:4]
    assert set(await claimed(services, limit=2)) == set(in_turn[4:6])


async def test_of_many_who_claim_each_row_is_anothers(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    services.generations._queue._max_length = 100
    ids = [await waiting(client, alice) for _ in range(12)]

    taken = await asyncio.gather(*(claimed(services, limit=3) for _ in range(8)))

    assert len([id for some in taken for id in some]) == len({id for some in taken for id in some})
    rest = await claimed(services, limit=12)
    assert {id for some in [*taken, rest] for id in some} == set(ids)


async def test_an_order_is_made_by_another_process_and_its_caller_and_speed_limit_hear_of_it(
    client: AsyncClient, alice: Person, services: Services, settings: Settings, no_route: NoRoute
) -> None:
    await put_on_plan(services, alice, images_in_flight=1)
    call = asyncio.create_task(ask(client, alice, **{"Idempotency-Key": "one"}))
    async with asyncio.timeout(10):
        while not (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]:
            await asyncio.sleep(0.02)
    assert (await ask(client, alice)).status_code == 429
    services.generations._queue.close()  # this process takes nothing up

    other = create_app(settings)
    async with other.router.lifespan_context(other), in_memory(other) as second:
        no_route.ends()
        answer = await call

        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        assert (await ask(second, alice)).status_code == 200


async def test_a_long_poll_ends_with_the_image_or_with_its_time(client: AsyncClient, alice: Person) -> None:
    begun = await client.post(
        "/v1/generate", json={"prompt": "a banana [sandbox:latency=1.5]"}, headers={**alice.by_key, **LATER}
    )
    id = begun.json()["id"]

    running = await client.get(f"/v1/generations/{id}", params={"wait": 1}, headers=alice.by_key)
    made = await shown(client, alice, id, wait=30)

    assert (running.json()["status"], running.headers["retry-after"]) == ("running", "2")
    assert made["status"] == "succeeded"


@pytest.mark.parametrize(("wait", "status"), [(0, 200), (90, 200), (91, 400), (-1, 400)])
async def test_a_long_poll_waits_90_s_at_most(
    client: AsyncClient, alice: Person, wait: int, status: int
) -> None:
    id = (await ask(client, alice)).json()["id"]

    answer = await client.get(f"/v1/generations/{id}", params={"wait": wait}, headers=alice.by_key)

    assert answer.status_code == status


async def test_a_queued_order_can_be_cancelled_once_and_nothing_is_charged(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    await put_on_plan(services, alice, images_per_hour=2)
    id = await waiting(client, alice)

    cancelled, again = await cancel(client, alice, id), await cancel(client, alice, id)

    assert cancelled.status_code == 200
    assert (cancelled.json()["status"], cancelled.json()["charge"]["state"]) == ("cancelled", "released")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_cancellable")
    assert await services.billing.reconcile() == []
    assert (await ask(client, alice, **LATER)).headers["x-ratelimit-remaining-requests"] == "1"


async def test_of_fifty_who_cancel_at_once_one_does_it(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    id = await waiting(client, alice)

    answers = await asyncio.gather(*(cancel(client, alice, id) for _ in range(50)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    assert await services.billing.reconcile() == []


async def test_what_is_being_made_or_has_ended_or_is_somebody_elses_is_not_cancelled(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    body = {"prompt": "a banana [sandbox:latency=0.5]"}
    begun = await client.post("/v1/generate", json=body, headers={**alice.by_key, **LATER})
    id = begun.json()["id"]

    running, foreign = await cancel(client, alice, id), await cancel(client, charlie, id)
    made = await shown(client, alice, id, wait=30)
    ended = await cancel(client, alice, id)

    assert [answer.status_code for answer in (running, foreign, ended)] == [409, 404, 409]
    assert made["status"] == "succeeded"


async def test_who_waits_for_a_cancelled_order_is_told_so_and_so_is_every_retry(
    client: AsyncClient, alice: Person, no_route: NoRoute
) -> None:
    same = {"Idempotency-Key": "one"}
    id = await waiting(client, alice, **same)
    call = asyncio.create_task(ask(client, alice, **same))

    await cancel(client, alice, id)

    for answer in (await call, await ask(client, alice, **same)):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["charged"]) == (409, "cancelled", False)
        assert (error["retryable"], answer.headers["location"]) == (False, f"/v1/generations/{id}")


async def test_cancelling_takes_a_key_that_may_generate_or_a_session(
    client: AsyncClient, alice: Person, no_route: NoRoute
) -> None:
    made = await client.post("/v1/keys", json={"scopes": ["read"]}, headers=alice.by_session)
    reader = {"Authorization": f"Bearer {made.json()['key']}"}
    path = f"/v1/generations/{await waiting(client, alice)}/cancel"

    assert (await client.post(path, headers=reader)).status_code == 403
    assert (await client.post(path)).status_code == 401
    assert (await client.post(path, headers=alice.by_session)).status_code == 200


async def test_who_cancels_and_who_takes_up_never_both_have_it(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    services.generations._queue._max_length = 100
    ids = [await waiting(client, alice) for _ in range(20)]

    cancels = asyncio.gather(*(cancel(client, alice, id) for id in ids))
    claims = asyncio.gather(*(claimed(services, limit=2) for _ in range(8)))
    taken = {id for some in await claims for id in some}
    cancelled = {id for id, answer in zip(ids, await cancels, strict=True) if answer.status_code == 200}

    assert not cancelled & taken
    rows = await services.database.statement("select id, state from generations", {})
    assert {row["id"] for row in rows if row["state"] == "cancelled"} == cancelled
    assert {row["id"] for row in rows if row["state"] == "running"} == taken
    assert await services.billing.reconcile() == []


async def test_every_retry_of_a_cancelled_order_takes_no_token(
    client: AsyncClient, alice: Person, services: Services, no_route: NoRoute
) -> None:
    await put_on_plan(services, alice, images_per_hour=2, images_in_flight=1)
    same = {"Idempotency-Key": "one"}
    await cancel(client, alice, await waiting(client, alice, **same))

    retries = [await ask(client, alice, **same) for _ in range(3)]
    new = await ask(client, alice, **LATER)

    left = [answer.headers["x-ratelimit-remaining-requests"] for answer in [*retries, new]]
    assert [answer.status_code for answer in [*retries, new]] == [409, 409, 409, 202]
    assert left == ["2", "2", "2", "1"]
