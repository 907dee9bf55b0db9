"""Every answer to a key tells how its hour and its month stand, as they are."""

import re

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")

BANANA = {"prompt": "a banana"}


async def ask(client: AsyncClient, person: Person, prompt: str = "a banana", **headers: str) -> Response:
    return await client.post("/v1/generate", json={"prompt": prompt}, headers={**person.by_key, **headers})


def left(answer: Response) -> dict[str, int]:
    """By limit."""
    return {name: int(r) for name, r in re.findall(r'"(\w+)";r=(\d+)', answer.headers["ratelimit"])}


def seconds(answer: Response) -> dict[str, int]:
    return {name: int(t) for name, t in re.findall(r'"(\w+)";r=\d+;t=(\d+)', answer.headers["ratelimit"])}


async def test_an_image_tells_hour_and_month(client: AsyncClient, alice: Person, services: Services) -> None:
    await put_on_plan(services, alice, images_per_hour=10, images_per_month=50)

    answer = await ask(client, alice)

    assert answer.status_code == 200
    assert re.fullmatch(
        r'"hour";q=10;w=3600, "month";q=50;w=(2419200|2505600|2592000|2678400);nb-unit="images"',
        answer.headers["ratelimit-policy"],
    )
    assert left(answer) == {"hour": 9, "month": 49}
    assert 3590 <= seconds(answer)["hour"] <= 3600
    assert 0 < seconds(answer)["month"] <= 31 * 86_400
    told = {name: answer.headers[f"x-ratelimit-{name}-requests"] for name in ("limit", "remaining")}
    assert told == {"limit": "10", "remaining": "9"}
    assert answer.headers["x-ratelimit-reset-requests"] == f"{seconds(answer)['hour']}s"


async def test_the_keys_own_hour_is_told_and_the_tightest_goes_to_openais_clients(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=10)
    (key,) = [
        key
        for key in (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]
        if key["mode"] == "live"
    ]
    await client.patch(f"/v1/keys/{key['id']}", json={"images_per_hour": 4}, headers=alice.by_session)

    answer = await ask(client, alice)

    assert answer.headers["ratelimit-policy"] == '"hour";q=10;w=3600, "key_hour";q=4;w=3600'
    assert left(answer) == {"hour": 9, "key_hour": 3}
    assert answer.headers["x-ratelimit-limit-requests"] == "4"


async def test_what_is_being_made_is_counted(client: AsyncClient, alice: Person, services: Services) -> None:
    await put_on_plan(services, alice, images_per_hour=10, images_per_month=50)

    begun = await ask(client, alice, "a banana [sandbox:latency=0.5]", Prefer="respond-async")
    looked = await client.get(begun.headers["location"], headers=alice.by_key)

    assert (begun.status_code, left(begun)) == (202, {"hour": 9, "month": 49})
    assert (looked.status_code, left(looked)) == (200, {"hour": 9, "month": 49})


@pytest.mark.parametrize(("scenario", "status", "hour"), [("image_safety", 422, 9), ("truncate", 503, 10)])
async def test_a_failure_tells_what_is_left_once_it_has_released_everything(
    client: AsyncClient, alice: Person, services: Services, scenario: str, status: int, hour: int
) -> None:
    await put_on_plan(services, alice, images_per_hour=10, images_per_month=50)

    failed = await ask(client, alice, f"a banana [sandbox:{scenario}]")
    looked = await client.get("/v1/generations", headers=alice.by_key)

    assert failed.status_code == status
    assert left(failed) == left(looked) == {"hour": hour, "month": 50}


async def test_a_replayed_refusal_tells_the_month_as_it_is(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_month=50)
    answers = [
        await ask(client, alice, "[sandbox:image_safety]", **{"Idempotency-Key": "17"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [left(answer) for answer in answers] == [{"month": 50}, {"month": 50}]


async def test_a_full_month_is_402_and_says_so(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=10, images_per_month=1)

    answers = [await ask(client, alice) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 402]
    assert [left(answer) for answer in answers] == [{"hour": 9, "month": 0}] * 2
    assert "retry-after" not in answers[1].headers


async def test_a_full_hour_is_429_and_never_asks_back_too_early(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=1, images_per_month=50)
    await ask(client, alice)

    refused = await ask(client, alice)

    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["retryable"]) == (429, "rate_limited", True)
    assert left(refused)["hour"] == 0
    assert seconds(refused)["hour"] <= int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"


async def test_an_outage_with_the_last_token_asks_back_soon_because_the_token_is_back(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=1)

    failed = await ask(client, alice, "[sandbox:truncate]")

    assert (failed.status_code, left(failed), seconds(failed)) == (503, {"hour": 1}, {"hour": 0})
    assert (await ask(client, alice)).status_code == 200


async def test_a_402_for_the_balance_has_taken_nothing(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE, images_per_hour=10)

    refused = await ask(client, alice)

    assert (refused.status_code, left(refused)) == (402, {"hour": 10})


async def test_a_missing_scope_is_told_with_the_limits(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_hour=10, images_per_month=50)
    key = (await client.post("/v1/keys", json={"scopes": ["read"]}, headers=alice.by_session)).json()["key"]

    refused = await client.post("/v1/generate", json=BANANA, headers={"Authorization": f"Bearer {key}"})

    assert (refused.status_code, left(refused)) == (403, {"hour": 10, "month": 50})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/generations", 200),
        ("/v1/usage", 200),
        ("/v1/generations/gen_0000000000000000000000", 404),
        ("/v1/generations?limit=0", 400),
        ("/v1/usage?from=x", 400),
    ],
)
async def test_what_a_key_reads_tells_the_limits_and_a_session_none(
    client: AsyncClient, alice: Person, services: Services, path: str, status: int
) -> None:
    await put_on_plan(services, alice, images_per_hour=10, images_per_month=50)

    by_key = await client.get(path, headers=alice.by_key)
    by_session = await client.get(path, headers=alice.by_session)

    assert by_key.status_code == by_session.status_code == status
    assert left(by_key) == {"hour": 10, "month": 50}
    assert not [name for name in by_session.headers if "ratelimit" in name.lower()]


async def test_a_wrong_key_learns_nothing(client: AsyncClient, alice: Person) -> None:
    wrong = {"Authorization": f"Bearer {alice.key[:-1]}x"}
    answers = [
        await client.post("/v1/generate", json=BANANA, headers=wrong),
        await client.get("/v1/generations", headers=wrong),
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert not [name for answer in answers for name in answer.headers if "ratelimit" in name.lower()]


async def test_test_keys_have_no_month_and_their_failures_on_demand_tell_the_hour(
    client: AsyncClient, alice: Person
) -> None:
    def ask(prompt: str) -> object:
        return client.post("/v1/generate", json={"prompt": prompt}, headers=alice.by_test_key)

    made = await ask("a banana")
    refused = [await ask(f"[test:{word}]") for word in ("rate_limited", "quota_exceeded", "scope_missing")]
    unknown = await ask("[test:invalid_api_key]")

    assert left(made) == {"hour": 999}
    assert [left(answer) for answer in refused] == [{"hour": 999}] * 3
    assert "ratelimit" not in unknown.headers
