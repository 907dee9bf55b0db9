"""The owner is told at 80 % and at 100 % of the plan's month, each once."""

import asyncio
import re

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import Person
from tests.plans import AN_IMAGE, put_on_plan

pytestmark = pytest.mark.usefixtures("patience_with_redis")

AT_80 = "80 % of this month's images are used"
AT_100 = "The images of this month are used up"


async def make(client: AsyncClient, person: Person, count: int) -> None:
    body = {"prompt": "a banana"}
    asked = [client.post("/v1/generate", json=body, headers=person.by_key) for _ in range(count)]
    await asyncio.gather(*asked)


async def warnings(services: Services) -> list[int]:
    """The percentages that mails were deferred for, in their order, sent or not."""
    rows = await services.database.statement(
        "select (args->>'percent')::int as percent from procrastinate_jobs"
        " where task_name = 'send_quota_warning' order by id",
        {},
    )
    return [row["percent"] for row in rows]


async def subjects(services: Services, *, count: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(mails := await services.people.mailbox.newest()) < count:
            await asyncio.sleep(0.05)
    return [str(mail["subject"]) for mail in mails]


async def test_each_threshold_is_told_when_it_is_reached(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_month=5)

    await make(client, alice, 3)
    assert await warnings(services) == []
    await make(client, alice, 1)
    assert await subjects(services, count=1) == [AT_80]
    await make(client, alice, 1)
    assert await subjects(services, count=2) == [AT_100, AT_80]
    await make(client, alice, 3)
    assert await warnings(services) == [80, 100]


async def test_fifty_at_once_are_told_once(client: AsyncClient, alice: Person, services: Services) -> None:
    await put_on_plan(services, alice, images_per_month=60)

    await make(client, alice, 50)

    assert await warnings(services) == [80]


async def test_a_plan_without_quota_and_test_images_warn_of_nothing(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, image=AN_IMAGE)
    await services.billing.credit(email=alice.email, micro_usd=AN_IMAGE)
    await make(client, alice, 2)
    await put_on_plan(services, alice, images_per_month=1_000)
    for _ in range(3):
        await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_test_key)

    assert await warnings(services) == []


async def test_a_larger_plan_is_warned_of_only_where_it_ends(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_month=1)
    await make(client, alice, 1)
    await put_on_plan(services, alice, images_per_month=5)

    await make(client, alice, 4)

    assert await warnings(services) == [100]


async def test_a_warning_that_is_no_longer_true_is_not_sent(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    account = (await client.get("/v1/account", headers=alice.by_session)).json()["id"]
    await put_on_plan(services, alice, images_per_month=5)
    await make(client, alice, 3)

    await services.usage.send_quota_warning(account, percent=80)
    await put_on_plan(services, alice)
    await services.usage.send_quota_warning(account, percent=80)

    assert await services.people.mailbox.newest() == []


async def test_the_mail_says_how_many_and_until_when(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await put_on_plan(services, alice, images_per_month=1)
    await make(client, alice, 1)
    await subjects(services, count=1)

    (mail,) = await services.people.mailbox.newest()

    for part in (str(mail["text"]), re.sub(r"<[^>]+>", "", str(mail["html"]))):
        assert "1 of the 1 images" in part
        assert re.search(r"until 1 [A-Z][a-z]+ \(UTC\)", part)
        assert "402 quota_exceeded" in part
    assert mail["recipient"] == alice.email
