"""Real receivers, good and bad: what is sent, when it is sent again, and when no more."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from nanobanana.domain.webhooks import delivery_repository as deliveries
from nanobanana.domain.webhooks.dispatcher import Dispatcher
from nanobanana.domain.webhooks.rules import WAITS_S, outcome
from nanobanana.integrations.webhooks.types import Answer
from nanobanana.kit.ids import first_id
from nanobanana.services import Services
from tests.api.webhooks.conftest import Desk
from tests.people import Person
from tests.receiver import GOOD, Receiver, answering, receiving


async def test_a_delivery_is_sent_once_when_it_is_taken(desk: Desk, receiver: Receiver) -> None:
    webhook = await desk.add(receiver.url)
    await desk.test(webhook)
    delivery = await desk.tried(webhook)
    await desk.tried(webhook)

    assert (delivery["status"], delivery["attempts"], delivery["last_status_code"]) == ("succeeded", 1, 204)
    assert (delivery["last_error"], delivery["next_attempt_at"]) == (None, None)
    assert len(receiver.received) == 1


def wait_before_next(delivery: dict[str, str]) -> float:
    moments = [datetime.fromisoformat(delivery[name]) for name in ("next_attempt_at", "last_attempt_at")]
    return (moments[0] - moments[1]).total_seconds()


async def test_the_timetable_is_the_specifications_with_jitter_and_ends_after_ten_tries(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(500))
    await desk.test(webhook)

    hours = (2, 5, 10, 14, 20, 24)
    assert list(WAITS_S) == [5, 5 * 60, 30 * 60, *(3_600 * each for each in hours)]
    for wait_s in WAITS_S:
        delivery = await desk.tried(webhook)
        assert (delivery["status"], delivery["last_error"]) == ("pending", "The endpoint answered 500.")
        assert wait_s <= wait_before_next(delivery) <= wait_s * 1.1
    last = await desk.tried(webhook)
    assert (last["status"], last["attempts"], last["next_attempt_at"]) == ("failed", 10, None)
    await desk.tried(webhook)
    assert len(receiver.received) == 10


async def test_every_try_has_the_same_id_and_bytes_and_a_timestamp_and_signature_of_its_own(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(500))
    made = await desk.generate()
    first_at = int(time.time())
    await desk.tried(webhook)
    monkeypatch.setattr("nanobanana.domain.webhooks.dispatcher.time.time", lambda: first_at + 100.9)
    await desk.services.database.statement("update generations set image_state = 'expired'", {})
    await desk.tried(webhook)

    first, second = receiver.received
    assert first.body == second.body
    assert first.event["data"]["id"] == made["id"]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) == first_at + 100
    for received in receiver.received:
        Webhook(webhook["secret"]).verify(received.body.decode(), received.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook["secret"]).verify(second.body.decode() + " ", second.headers)


async def test_retry_after_is_honoured_for_the_endpoint_as_a_whole(desk: Desk, receiver: Receiver) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(429, "Retry-After: 60"))
    await desk.test(webhook)
    assert 60 <= wait_before_next(await desk.tried(webhook)) < 61

    receiver.answers(GOOD)
    await desk.test(webhook)
    await desk.dispatch()
    assert len(receiver.received) == 1
    await desk.due()
    await desk.dispatch()
    assert len(receiver.received) == 3


async def test_410_disables_the_endpoint_at_once_and_tells_the_owner(desk: Desk, receiver: Receiver) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(410))
    await desk.test(webhook)
    delivery = await desk.tried(webhook)

    assert (delivery["status"], delivery["attempts"]) == ("failed", 1)
    assert (await desk.call("GET", f"/{webhook['id']}")).json()["disabled_reason"] == "gone"
    mail = await mailed(desk)
    assert webhook["id"] in mail
    assert "410 Gone" in mail
    await desk.generate()
    assert len(await desk.deliveries(webhook)) == 1


@pytest.mark.parametrize(("days", "disabled"), [(4.99, False), (5.01, True)])
async def test_five_days_of_failures_and_a_delivery_given_up_disable_it(
    desk: Desk, receiver: Receiver, services: Services, days: float, *, disabled: bool
) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(500))
    await desk.test(webhook)
    await desk.tried(webhook, times=9)
    since = "update webhooks set failing_since = now() - make_interval(secs => %(secs)s)"
    await services.database.statement(since, {"secs": days * 86_400})
    assert (await desk.call("GET", f"/{webhook['id']}")).json()["disabled"] is False

    await desk.tried(webhook)

    stands = (await desk.call("GET", f"/{webhook['id']}")).json()
    assert (stands["disabled"], stands["disabled_reason"]) == (disabled, "failing" if disabled else None)
    if disabled:
        assert "For five days" in await mailed(desk)


async def test_one_success_and_the_failures_before_it_are_forgotten(desk: Desk, receiver: Receiver) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(500))
    await desk.test(webhook)
    await desk.tried(webhook)
    assert (await desk.call("GET", f"/{webhook['id']}")).json()["failing_since"] is not None

    receiver.answers(GOOD)
    await desk.tried(webhook)
    assert (await desk.call("GET", f"/{webhook['id']}")).json()["failing_since"] is None


async def test_what_is_pending_when_it_is_disabled_is_sent_when_it_is_enabled(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    await desk.test(webhook)
    await desk.call("PATCH", f"/{webhook['id']}", {"disabled": True})
    await desk.tried(webhook)
    assert receiver.received == []

    await desk.call("PATCH", f"/{webhook['id']}", {"disabled": False})
    assert (await desk.tried(webhook))["status"] == "succeeded"


async def test_during_a_rotation_both_secrets_sign_and_after_a_day_the_new_one_only(
    desk: Desk, receiver: Receiver, services: Services
) -> None:
    old = await desk.add(receiver.url)
    new = (await desk.call("POST", f"/{old['id']}/rotate-secret")).json()
    left = datetime.fromisoformat(new["previous_secret_expires_at"]).timestamp() - time.time()
    assert 86_390 < left <= 86_400
    await desk.test(old)
    await desk.tried(old)
    await services.database.statement("update webhooks set previous_secret_expires_at = now()", {})
    await desk.test(old)
    await desk.tried(old)

    during, after = receiver.received
    assert [len(one.headers["webhook-signature"].split(" ")) for one in (during, after)] == [2, 1]
    for secret in (old["secret"], new["secret"]):
        Webhook(secret).verify(during.body.decode(), during.headers)
    Webhook(new["secret"]).verify(after.body.decode(), after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old["secret"]).verify(after.body.decode(), after.headers)


async def test_a_replay_sends_the_same_id_and_bytes_again(desk: Desk, receiver: Receiver) -> None:
    webhook = await desk.add(receiver.url)
    await desk.test(webhook)
    delivery = await desk.tried(webhook)
    replayed = await desk.call("POST", f"/{webhook['id']}/deliveries/{delivery['id']}/replay")
    assert (replayed.status_code, replayed.json()["status"], replayed.json()["attempts"]) == (
        202,
        "pending",
        0,
    )
    await desk.dispatch()

    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert (await desk.deliveries(webhook))[0]["status"] == "succeeded"
    unknown = f"/{webhook['id']}/deliveries/{webhook['id']}/replay"
    assert (await desk.call("POST", unknown)).status_code == 404


@pytest.mark.parametrize(("status", "state"), [(200, "succeeded"), (410, "failed"), (500, "pending")])
async def test_a_body_stays_until_the_last_try_or_its_image_is_deleted_and_then_tells_what_is_left(
    desk: Desk, receiver: Receiver, services: Services, status: int, state: str
) -> None:
    async def stays() -> list[object]:
        rows = await services.database.statement(
            "select body is not null as stays from webhook_deliveries order by id", {}
        )
        return [row["stays"] for row in rows]

    receiver.answers(answering(status))
    webhook = await desk.add(receiver.url)
    made, _ = await desk.generate(), await desk.generate("another")
    await desk.tried(webhook)
    first = (await desk.deliveries(webhook))[1]
    assert first["status"] == state
    assert await stays() == [state == "pending"] * 2
    path = f"/v1/generations/{made['id']}"
    assert (await desk.client.delete(path, headers=desk.person.by_key)).status_code == 204
    assert await stays() == [False, state == "pending"]

    receiver.answers(GOOD)
    receiver.received.clear()
    await desk.call("PATCH", f"/{webhook['id']}", {"disabled": False})
    if state != "pending":
        await desk.call("POST", f"/{webhook['id']}/deliveries/{first['id']}/replay")
    await desk.tried(webhook)

    [again] = [told for told in receiver.received if told.headers["webhook-id"] == first["event_id"]]
    data = again.event["data"]
    assert data["id"] == made["id"]
    gone = (data["prompt"], data["url"], data["thumbnail_url"], data["image_state"])
    assert gone == ("", None, None, "deleted")


async def test_deliveries_are_listed_newest_first_page_by_page_and_by_status(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    sent = [(await desk.test(webhook))["id"] for _ in range(3)]
    await desk.dispatch()
    receiver.answers(answering(500))
    failing = await desk.test(webhook)
    await desk.dispatch()

    path = f"/{webhook['id']}/deliveries"
    first = (await desk.call("GET", f"{path}?limit=3")).json()
    rest = (await desk.call("GET", f"{path}?limit=3&cursor={first['next_cursor']}")).json()
    listed = [one["id"] for one in first["data"] + rest["data"]]
    assert sorted(listed, reverse=True) == listed
    assert set(listed) == {*sent, failing["id"]}
    assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)
    assert [one["id"] for one in await desk.deliveries(webhook, "?status=pending")] == [failing["id"]]
    for query, status in (("limit=0", 400), ("limit=101", 400), ("limit=100", 200), ("status=lost", 400)):
        assert (await desk.call("GET", f"{path}?{query}")).status_code == status


async def test_deliveries_are_kept_for_30_days(desk: Desk, services: Services) -> None:
    webhook = await desk.add("https://example.invalid/")
    ids = [first_id("whd", datetime.now(UTC) - timedelta(days=days)) for days in (29.9, 30.1)]
    for id in ids:
        await desk.test(webhook)
        renamed = "update webhook_deliveries set id = %(id)s where not id = any(%(ids)s)"
        await services.database.statement(renamed, {"id": id, "ids": ids})
    await services.webhooks.discard_old()

    assert [one["id"] for one in await desk.deliveries(webhook)] == ids[:1]


async def test_an_endpoint_gets_four_at_a_time_from_however_many_processes(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    for _ in range(20):
        await desk.test(webhook)
    first = desk.services.dispatcher
    parts = {name: getattr(first, f"_{name}") for name in ("client", "box", "payloads")}
    dispatchers = [first, *(Dispatcher(desk.services.database, **parts) for _ in range(3))]
    await asyncio.gather(*(one.send_due() for one in dispatchers))
    for one in dispatchers:
        for tasks in one._tasks.values():
            await asyncio.gather(*tasks)

    assert len(receiver.received) == 20
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 20
    assert 2 <= receiver.most_at_once <= 4


async def test_what_a_killed_process_held_is_sent_by_another(
    desk: Desk, receiver: Receiver, services: Services
) -> None:
    webhook = await desk.add(receiver.url)
    await desk.test(webhook)
    held = "update webhooks set held_until = now() + make_interval(secs => %(secs)s)"
    await services.database.statement(held, {"secs": 60})
    await desk.dispatch()
    assert receiver.received == []

    await services.database.statement(held, {"secs": -1})
    await desk.dispatch()
    assert (await desk.deliveries(webhook))[0]["status"] == "succeeded"


async def test_a_result_that_comes_late_changes_nothing(desk: Desk, services: Services) -> None:
    """The owner replays while a try is under way, or the process slept through its hold."""
    webhook = await desk.add("https://example.invalid/")
    await desk.test(webhook)
    answer = Answer(status=500, problem="no")
    for _ in range(2):
        [due] = await deliveries.take_due(services.database, webhook["id"], limit=4)
        await deliveries.record(services.database, due, outcome(answer, attempts=due.attempts, chance=0))
        await desk.due()
    await desk.call("POST", f"/{webhook['id']}/deliveries/{due.id}/replay")
    await deliveries.record(services.database, due, outcome(answer, attempts=due.attempts, chance=0))

    [stands] = await desk.deliveries(webhook)
    assert (stands["status"], stands["attempts"]) == ("pending", 0)


async def test_of_two_bodies_made_at_once_the_first_is_sent_by_both(desk: Desk, services: Services) -> None:
    sent = await desk.test(await desk.add("https://example.invalid/"))

    assert [await deliveries.fix_body(services.database, sent["id"], body) for body in ("a", "b")] == [
        "a"
    ] * 2


async def test_who_comes_with_a_body_after_the_last_try_sends_nothing(
    desk: Desk, receiver: Receiver, services: Services
) -> None:
    webhook = await desk.add(receiver.url)
    await desk.test(webhook)
    [late] = await deliveries.take_due(services.database, webhook["id"], limit=4)
    assert late.body is None
    assert (await desk.tried(webhook))["status"] == "succeeded"

    assert await services.dispatcher._deliver(late) is None
    assert len(receiver.received) == 1
    assert await services.database.statement("select body from webhook_deliveries", {}) == [{"body": None}]


async def test_dead_endpoints_do_not_hold_up_a_good_one(desk: Desk, receiver: Receiver) -> None:
    """200 deliveries wait at one that never answers; what comes for its neighbour is sent at once."""
    async with receiving() as (dead, url):
        dead.answers(None)
        stuck = await desk.add(url)
        account = {"id": stuck["id"]}
        await desk.services.database.statement(
            """
            insert into webhook_deliveries (id, webhook_id, event_id, type, subject)
            select new_id('whd'), %(id)s, new_id('evt'), 'webhook.test', '{}' from generate_series(1, 200)
            """,
            account,
        )
        await desk.services.dispatcher.send_due()
        await dead.wait_for(4)
        good = await desk.add(receiver.url)
        await desk.test(good)
        began = time.monotonic()
        await desk.services.dispatcher.send_due()
        await receiver.wait_for(1, within_s=5)
        took = time.monotonic() - began
        await desk.services.dispatcher.drain(grace_s=0)

    assert took < 2
    assert dead.most_at_once == 4


async def test_tests_are_throttled_by_account(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.services.throttle, "_scale", 3 / 60)
    webhook = await desk.add("https://example.invalid/")
    answers = [await desk.call("POST", f"/{webhook['id']}/test") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [202] * 3 + [429]


async def test_new_endpoints_and_changed_ones_are_throttled_together_by_account_with_the_exact_wait(
    desk: Desk, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.services.throttle, "_scale", 3 / 20)
    url = "https://example.invalid/"
    path = f"/{(await desk.add(url))['id']}"
    changed = [await desk.call("PATCH", path, {"disabled": False}) for _ in range(2)]
    new = {"url": url, "events": ["image.completed"]}
    refused = [await desk.call("PATCH", path, {"url": url}), await desk.call("POST", json=new)]

    assert [answer.status_code for answer in changed + refused] == [200, 200, 429, 429]
    for answer in refused:
        wait = answer.headers["retry-after"]
        assert 40 <= int(wait) <= 60
        assert answer.headers["ratelimit-policy"] == '"webhook_change_account";q=3;w=60'
        assert answer.headers["ratelimit"] == f'"webhook_change_account";r=0;t={wait}'
    assert (await desk.call("DELETE", path)).status_code == 204
    other = await desk.client.post("/v1/webhooks", json=new, headers=charlie.by_session)
    assert other.status_code == 201


async def mailed(desk: Desk) -> str:
    async with asyncio.timeout(20):
        while not (mails := await desk.services.people.mailbox.newest()):
            await asyncio.sleep(0.05)
    assert mails[0]["recipient"] == desk.person.email
    return str(mails[0]["text"])
