"""An account whose prompts are refused again and again is slowed down, then suspended. Here by four a day."""

import asyncio

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.api_keys import service as api_keys_service
from nanobanana.domain.moderation.suspensions import Suspensions
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import PASSWORD, Person
from tests.plans import put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")

REFUSED = "a banana [sandbox:image_safety]"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"refusals_per_day": 4})


@pytest.fixture
def fresh_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """As though five seconds passed between any two calls."""
    monkeypatch.setattr(api_keys_service, "_CACHE_S", -1)


async def ask(client: AsyncClient, person: Person, prompt: str = REFUSED) -> Response:
    return await client.post("/v1/generate", json={"prompt": prompt}, headers=person.by_key)


async def are_refused(client: AsyncClient, person: Person, count: int) -> None:
    for _ in range(count):
        answer = await ask(client, person)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "content_policy")


async def is_suspended(client: AsyncClient, person: Person) -> bool:
    answer = await ask(client, person, "a banana")
    return answer.status_code == 403


async def log_of(services: Services) -> list[tuple[str, str, object]]:
    rows = await services.database.statement(
        "select actor, action, detail from audit_log where action in ('suspend', 'unsuspend') order by id", {}
    )
    return [(row["actor"], row["action"], row["detail"]) for row in rows]


async def mails(services: Services, *, count: int) -> list[dict[str, object]]:
    async with asyncio.timeout(20):
        while len(found := await services.people.mailbox.newest()) < count:
            await asyncio.sleep(0.05)
    return found


async def test_the_last_refusal_of_the_day_suspends_and_the_one_before_does_not(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    await are_refused(client, alice, 3)
    assert not await is_suspended(client, alice)
    await are_refused(client, alice, 1)

    answer = await ask(client, alice, "a banana")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["charged"]) == (403, "account_suspended", False)
    assert "operator" in error["message"]
    assert not await is_suspended(client, charlie)
    assert await services.billing.reconcile() == []


async def test_a_suspension_comes_with_one_mail_and_one_row_in_the_log(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await are_refused(client, alice, 4)

    (mail,) = await mails(services, count=1)
    assert (mail["recipient"], mail["subject"]) == (alice.email, "Your NanoBanana account is suspended")
    for part in (mail["text"], mail["html"]):
        assert "403 account_suspended" in str(part)
        assert "4 of its prompts" in str(part)
    ((actor, action, detail),) = await log_of(services)
    assert (actor, action, detail["refusals"]) == ("service", "suspend", 4)


async def test_a_suspended_owner_can_still_log_in_and_look(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await Suspensions(services.database).suspend(email=alice.email)

    login = {"email": alice.email, "password": PASSWORD}
    assert (await client.post("/v1/auth/login", json=login)).status_code == 200
    assert (await client.get("/v1/generations", headers=alice.by_session)).status_code == 200
    assert (await client.get("/v1/generations", headers=alice.by_key)).status_code == 403


async def test_refusals_of_test_keys_and_other_failures_do_not_count(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    for prompt in [f"{REFUSED}", "[test:content_policy]"] * 4:
        await client.post("/v1/generate", json={"prompt": prompt}, headers=alice.by_test_key)
    for _ in range(4):
        assert (await ask(client, alice, "[sandbox:ratio_not_enabled]")).status_code == 400

    assert not await is_suspended(client, alice)


async def test_the_refusals_of_yesterday_do_not_count(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await are_refused(client, alice, 3)
    await services.database.statement("update accounts set refused_on = refused_on - 1", {})

    await are_refused(client, alice, 3)
    assert not await is_suspended(client, alice)
    await are_refused(client, alice, 1)
    assert await is_suspended(client, alice)


async def test_one_that_began_before_midnight_counts_for_the_day_that_has_begun(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await are_refused(client, alice, 3)
    await services.database.statement("update accounts set refused_on = refused_on + 1", {})

    await are_refused(client, alice, 1)

    assert await is_suspended(client, alice)


async def test_from_half_of_them_on_the_account_goes_at_a_tenth_of_its_speed(
    client: AsyncClient, alice: Person, services: Services, fresh_keys: None
) -> None:
    await put_on_plan(services, alice, images_per_hour=40)

    before = [(await ask(client, alice)).headers["x-ratelimit-limit-requests"] for _ in range(2)]
    slowed = [await ask(client, alice, "a banana") for _ in range(3)]

    assert before == ["40", "40"]
    assert [answer.status_code for answer in slowed] == [200, 200, 429]
    assert {answer.headers["x-ratelimit-limit-requests"] for answer in slowed} == {"4"}
    await services.database.statement("update accounts set refused_on = refused_on - 1", {})
    assert (await ask(client, alice, "a banana")).headers["x-ratelimit-limit-requests"] == "40"


@pytest.mark.parametrize(("per_hour", "slowed"), [(9, "1"), (1, "1"), (29, "2"), (None, "100")])
async def test_a_tenth_is_one_at_least_and_of_no_limit_a_hundred(
    client: AsyncClient, alice: Person, services: Services, fresh_keys: None, per_hour: int, slowed: str
) -> None:
    await put_on_plan(services, alice, images_per_hour=per_hour)
    await services.database.statement(
        "update accounts set refusals = 2, refused_on = now() at time zone 'utc'", {}
    )

    assert (await ask(client, alice, "a banana")).headers["x-ratelimit-limit-requests"] == slowed


async def test_who_is_unsuspended_begins_anew(client: AsyncClient, alice: Person, services: Services) -> None:
    suspensions = Suspensions(services.database)
    await are_refused(client, alice, 4)

    await suspensions.unsuspend(email=alice.email)

    await are_refused(client, alice, 3)
    assert not await is_suspended(client, alice)
    await are_refused(client, alice, 1)
    assert await is_suspended(client, alice)
    assert [action for _, action, _ in await log_of(services)] == ["suspend", "unsuspend", "suspend"]


async def test_what_a_suspended_account_has_waiting_waits_for_the_end_of_that(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    suspensions = Suspensions(services.database)
    await suspensions.suspend(email=alice.email)
    await services.database.statement(
        """
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt, image_name)
        select 'gen_' || a.email, a.id, k.id, 'live', 'a banana', '1024x1024', 'natural', 'queued', 0, a.id
        from accounts a join api_keys k on k.account_id = a.id and k.mode = 'live'
        """,
        {},
    )

    async def made() -> list[str]:
        await services.runner.work_off_queue()
        rows = await services.database.statement(
            "select id from generations where state = 'succeeded' order by id", {}
        )
        return [row["id"] for row in rows]

    async with asyncio.timeout(20):
        while await made() != [f"gen_{charlie.email}"]:
            await asyncio.sleep(0.02)
        await suspensions.unsuspend(email=alice.email)
        while await made() != [f"gen_{alice.email}", f"gen_{charlie.email}"]:
            await asyncio.sleep(0.02)


async def test_an_erased_account_is_neither_suspended_nor_in_the_way(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    rows = await services.database.statement("select id from accounts", {})
    (account_id,) = (row["id"] for row in rows)
    erasure = {"current_password": PASSWORD}
    await client.request("DELETE", "/v1/account", json=erasure, headers=alice.by_session)

    for _ in range(5):
        await services.moderation.count_refusal(account_id)
    await services.moderation.send_suspension_mail(account_id)

    assert await log_of(services) == []


async def test_a_mail_about_a_suspension_that_is_over_is_not_sent(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    rows = await services.database.statement("select id from accounts", {})
    suspensions = Suspensions(services.database)
    await suspensions.suspend(email=alice.email, reason="a stolen card")
    (mail,) = await mails(services, count=1)
    await suspensions.unsuspend(email=alice.email)

    await services.moderation.send_suspension_mail(rows[0]["id"])

    assert len(await services.people.mailbox.newest()) == 1
    assert "a stolen card" in str(mail["text"])
    assert "a stolen card" in str(mail["html"])
