"""What is told, to whom, and in which words."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import AsyncClient
from standardwebhooks import Webhook

from nanobanana.kit.ids import first_id
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.storage.events import announce
from tests.api.webhooks.conftest import Desk
from tests.people import Person
from tests.plans import put_on_plan
from tests.receiver import Receiver
from tests.s3_fixtures import S3Bucket

PUBLIC_URL = "https://nanobanana.example"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": PUBLIC_URL})


async def test_an_image_is_told_as_get_tells_it_and_the_reference_library_verifies_it(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    for prompt in ("a banana \u00e9\U0001f34c", "a banana [test:content_policy]"):
        await desk.generate(prompt)
    await desk.dispatch()

    for received in await receiver.wait_for(2):
        event = Webhook(webhook["secret"]).verify(received.body.decode(), received.headers)
        assert event == received.event
        assert received.headers["content-type"] == "application/json"
        assert re.fullmatch(r"evt_[0-9A-Za-z]{22}", received.headers["webhook-id"])
        told = event["data"]
        asked = await desk.client.get(f"/v1/generations/{told['id']}", headers=desk.person.by_key)
        assert told == asked.json()
        assert event["type"] == ("image.completed" if told["url"] else "image.failed")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["timestamp"])
    assert {received.event["data"]["status"] for received in receiver.received} == {"succeeded", "blocked"}


async def test_the_link_works(desk: Desk, receiver: Receiver) -> None:
    await desk.add(receiver.url)
    await desk.generate()
    await desk.dispatch()
    [received] = await receiver.wait_for(1)

    url = received.event["data"]["url"]
    assert url.startswith(f"{PUBLIC_URL}/images/")
    assert (await desk.client.get(url.removeprefix(PUBLIC_URL))).status_code == 200


@pytest.mark.parametrize("test", [True, False])
async def test_charges_are_told_too(
    desk: Desk, receiver: Receiver, services: Services, *, test: bool
) -> None:
    await put_on_plan(services, desk.person, image=20_000)
    await services.billing.credit(email=desk.person.email, micro_usd=20_000)
    await desk.add(receiver.url)
    made = await desk.generate(test=test)
    await desk.dispatch()

    assert receiver.received[0].event["data"]["charge"] == made["charge"]


class TestWithoutAStore:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"image_store": "none"})

    async def test_there_is_no_link_and_there_are_no_bytes(self, desk: Desk, receiver: Receiver) -> None:
        await desk.add(receiver.url)
        await desk.generate()
        await desk.dispatch()

        assert receiver.received[0].event["data"]["url"] is None


class TestInABucket:
    @pytest.fixture
    def settings(self, settings: Settings, s3_bucket: S3Bucket) -> Settings:
        return settings.model_copy(update=s3_bucket.settings)

    async def test_the_link_is_the_buckets(self, desk: Desk, receiver: Receiver) -> None:
        await desk.add(receiver.url)
        await desk.generate()
        await desk.dispatch()

        async with AsyncClient() as http:
            picture = await http.get(receiver.received[0].event["data"]["url"])
        assert picture.content.startswith(b"\xff\xd8")


async def test_the_longest_event_stays_below_20_kb(desk: Desk, receiver: Receiver) -> None:
    await desk.add(receiver.url)
    await desk.generate("\U0001f34c" * 4_000)
    await desk.dispatch()

    assert 16_000 < len(receiver.received[0].body) < 20_000


async def test_an_endpoint_is_told_of_what_it_wants_and_each_event_has_one_id_for_all(
    desk: Desk, receiver: Receiver
) -> None:
    wants = [["image.completed"], ["image.completed", "key.rotated"], ["image.failed"]]
    webhooks = [await desk.add(receiver.url, events) for events in wants]
    await desk.generate()

    told = [await desk.deliveries(webhook) for webhook in webhooks]
    assert [[one["type"] for one in each] for each in told] == [["image.completed"], ["image.completed"], []]
    assert told[0][0]["event_id"] == told[1][0]["event_id"]
    assert told[0][0]["id"] != told[1][0]["id"]


async def test_a_disabled_or_deleted_endpoint_and_other_accounts_are_told_nothing(
    desk: Desk, client: AsyncClient, services: Services, receiver: Receiver, charlie: Person
) -> None:
    disabled, deleted = await desk.add(receiver.url), await desk.add(receiver.url)
    await desk.call("PATCH", f"/{disabled['id']}", {"disabled": True})
    await desk.call("DELETE", f"/{deleted['id']}")
    other = {"url": receiver.url, "events": ["image.completed"]}
    await client.post("/v1/webhooks", json=other, headers=charlie.by_session)

    await desk.generate()

    assert await services.database.statement("select id from webhook_deliveries", {}) == []


async def test_quotas_are_told_at_80_and_at_100_percent(
    desk: Desk, receiver: Receiver, services: Services
) -> None:
    await put_on_plan(services, desk.person, images_per_month=5)
    await desk.add(receiver.url, ["quota.warning", "quota.exhausted"])
    for _ in range(6):
        await desk.generate(test=False)
    await desk.dispatch()

    events = sorted((one.event for one in await receiver.wait_for(2)), key=lambda event: event["timestamp"])
    assert [event["type"] for event in events] == ["quota.warning", "quota.exhausted"]
    assert [event["data"]["percent"] for event in events] == [80, 100]
    assert [(event["data"]["images"], event["data"]["quota"]) for event in events] == [(4, 5), (5, 5)]
    assert re.fullmatch(r"\d{4}-\d\d", events[0]["data"]["month"])


async def test_a_rotated_key_is_told_without_its_text(desk: Desk, receiver: Receiver) -> None:
    await desk.add(receiver.url)
    [key, _] = (await desk.client.get("/v1/keys", headers=desk.person.by_session)).json()["data"]
    path = f"/v1/keys/{key['id']}/rotate"
    rotated = (await desk.client.post(path, json={}, headers=desk.person.by_session)).json()
    await desk.dispatch()

    [received] = await receiver.wait_for(1)
    names = ("id", "name", "mode", "last4", "previous_last4", "previous_expires_at")
    assert received.event["type"] == "key.rotated"
    told = {name: str(value).replace("+00:00", "Z") for name, value in received.event["data"].items()}
    assert told == {name: str(rotated[name]) for name in names}


async def test_every_end_but_a_cancellation_is_told(
    desk: Desk, receiver: Receiver, services: Services
) -> None:
    webhook = await desk.add(receiver.url)
    for state in ("succeeded", "failed", "blocked", "expired", "cancelled"):
        await services.database.statement(
            "select announce_image((select account_id from webhooks), %(state)s, %(state)s)", {"state": state}
        )
    rows = await services.database.statement(
        "select subject->>'id' as state, type from webhook_deliveries", {}
    )

    failed = dict.fromkeys(("failed", "blocked", "expired"), "image.failed")
    assert {row["state"]: row["type"] for row in rows} == {"succeeded": "image.completed", **failed}
    assert len(await desk.deliveries(webhook)) == 4


async def test_what_is_rolled_back_is_not_told(desk: Desk, receiver: Receiver, services: Services) -> None:
    webhook = await desk.add(receiver.url)
    [row] = await services.database.statement("select account_id from webhooks", {})

    with pytest.raises(ZeroDivisionError):
        await announce_and_break(services, row["account_id"])

    assert await desk.deliveries(webhook) == []


async def announce_and_break(services: Services, account_id: str) -> None:
    async with services.database.begin() as connection:
        await announce(connection, "key.rotated", account_id=account_id, subject={})
        raise ZeroDivisionError


async def test_ids_made_by_the_database_are_like_the_others(services: Services) -> None:
    rows = await services.database.statement(
        "select new_id('evt') as id, extract(epoch from clock_timestamp()) as at from generate_series(1, 200)",
        {},
    )
    ids = [row["id"] for row in rows]

    assert len(set(ids)) == 200
    assert all(re.fullmatch(r"evt_[0-9A-Za-z]{22}", id) for id in ids)
    begun = datetime.fromtimestamp(float(rows[0]["at"]), UTC)
    assert first_id("evt", begun - timedelta(seconds=1)) < min(ids)
    assert max(ids) < first_id("evt", begun + timedelta(seconds=5))
