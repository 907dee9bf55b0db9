"""The pages of endpoints: what the API does, by forms alone."""

import html
import re
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import get_args

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.webhooks.service import MAX_WEBHOOKS
from nanobanana.domain.webhooks.types import EventType
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.dashboard.webhooks import EVENTS
from tests.api.webhooks.conftest import Desk
from tests.people import Person
from tests.receiver import Receiver, answering, receiving
from tests.web.browser import FROM_OURS, form_token_of, log_in

URL = "http://127.0.0.1:9999/hooks"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Receivers of this machine are allowed."""
    return settings.model_copy(update={"webhook_allowed_networks": (ip_network("127.0.0.0/8"),)})


@pytest.fixture
def desk(client: AsyncClient, services: Services, alice: Person) -> Desk:
    return Desk(client, services, alice)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent but when the test says so."""
    monkeypatch.setattr("nanobanana.worker.jobs._DISPATCH_WEBHOOKS_S", 3_600)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as (receiver, _):
        yield receiver


async def send(client: AsyncClient, path: str, **fields: object) -> Response:
    """A form of the pages of webhooks."""
    form = {"form_token": form_token_of(await client.get("/webhooks")), **fields}
    return await client.post(path, data=form, headers=FROM_OURS)


async def look(client: AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


async def test_an_endpoint_is_made_changed_paused_and_deleted(desk: Desk, client: AsyncClient) -> None:
    await log_in(client, desk.person.email)
    page = await look(client, "/webhooks")
    assert "Your endpoints would be here" in page
    assert re.findall(r'value="([a-z.]+)" checked', page) == ["image.completed", "image.failed"]

    made = await send(client, "/webhooks", url=f" {URL} ", events=["image.completed", "key.rotated"])
    assert made.status_code == 200
    assert re.search(r"whsec_[\w+/=]{40,}", made.text)
    assert 'href="/docs/webhooks"' in made.text
    [webhook] = (await desk.call("GET")).json()["data"]
    assert (webhook["url"], webhook["events"]) == (URL, ["image.completed", "key.rotated"])
    path = f"/webhooks/{webhook['id']}"
    assert "whsec_" not in await look(client, path) + await look(client, "/webhooks")

    changed = await send(client, path, url=f"{URL}/new", events="image.failed")
    assert (changed.status_code, changed.headers["location"]) == (303, f"{path}?done=changed")
    page = await look(client, f"{path}?done=changed")
    assert "The endpoint is changed." in page
    assert f'value="{URL}/new"' in page
    assert re.findall(r'value="([\w.]+)" checked', page) == ["image.failed"]

    assert (await send(client, f"{path}/disable")).headers["location"] == f"{path}?done=disabled"
    assert "You disabled it." in await look(client, "/webhooks")
    page = await look(client, path)
    assert "You disabled it." in page
    assert f"{path}/test" not in page
    assert (await send(client, f"{path}/test")).status_code == 409
    assert (await send(client, f"{path}/enable")).headers["location"] == f"{path}?done=enabled"
    assert (await desk.call("GET", f"/{webhook['id']}")).json()["disabled"] is False

    assert (await send(client, f"{path}/delete")).headers["location"] == "/webhooks?done=deleted"
    assert (await client.get(path)).status_code == 404


async def test_a_rotation_shows_the_new_secret_once_and_says_until_when_the_old_one_signs(
    desk: Desk, client: AsyncClient
) -> None:
    webhook = await desk.add(URL)
    await log_in(client, desk.person.email)
    path = f"/webhooks/{webhook['id']}"
    rotated = await send(client, f"{path}/rotate-secret")

    [secret] = re.findall(r"whsec_[\w+/=]{40,}", html.unescape(rotated.text))
    assert secret != webhook["secret"]
    for page in (rotated.text, await look(client, path)):
        assert re.search(r"signs too until <time", page)
    later = "update webhooks set previous_secret_expires_at = now()"
    await desk.services.database.statement(later, {})
    assert "signs too until" not in await look(client, path)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": URL}, {"events"}),
        ({"events": "image.failed"}, {"url"}),
        ({"url": URL, "events": "image.made"}, {"events"}),
        ({"url": "ftp://127.0.0.1", "events": "image.failed"}, {"url"}),
        ({}, {"url", "events"}),
    ],
)
async def test_all_that_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    desk: Desk, client: AsyncClient, fields: dict[str, str], wrong: set[str]
) -> None:
    webhook = await desk.add(URL)
    await log_in(client, desk.person.email)
    for path in ("/webhooks", f"/webhooks/{webhook['id']}"):
        page = await send(client, path, **fields)

        assert page.status_code == 400
        assert set(re.findall(r'id="(\w+)-hint">\s*<p class="wrong">[A-Z]', page.text)) == wrong
        assert f'value="{fields.get("url", "")}" aria-describedby="url-hint"' in page.text
        ticked = re.findall(r'value="([\w.]+)" checked', page.text)
        assert ticked == [event for event in fields.values() if event in EVENTS]
    assert (await desk.call("GET", f"/{webhook['id']}")).json()["events"] == webhook["events"]


async def test_when_there_are_ten_the_page_says_so_before_the_click(desk: Desk, client: AsyncClient) -> None:
    await log_in(client, desk.person.email)
    for _ in range(MAX_WEBHOOKS - 1):
        await desk.add(URL)
    assert "Add the endpoint" in await look(client, "/webhooks")
    await desk.add(URL)
    page = await look(client, "/webhooks")

    assert "Add the endpoint" not in page
    assert "10 endpoints at most" in page
    late = await send(client, "/webhooks", url=URL, events="image.failed")
    assert (late.status_code, "10 webhooks" in late.text) == (409, True)


async def test_a_test_event_is_seen_among_the_deliveries_and_looked_for_until_it_was_tried(
    desk: Desk, client: AsyncClient, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    await log_in(client, desk.person.email)
    path = f"/webhooks/{webhook['id']}"
    assert "Nothing was sent yet." in await look(client, "/webhooks")

    assert (await send(client, f"{path}/test")).headers["location"] == f"{path}?done=test"
    pending = await look(client, path)
    assert "webhook.test" in pending
    assert 'hx-trigger="every 2s"' in pending
    await desk.dispatch()

    part = await client.get(path, headers={"HX-Request": "true"})
    assert part.text.strip().startswith('<section id="deliveries"')
    assert "<html" not in part.text
    assert "hx-trigger" not in part.text
    assert re.search(r"succeeded</span>.*204", part.text, re.DOTALL)
    assert re.search(r"Last: webhook.test, .*, succeeded", await look(client, "/webhooks"))


async def test_a_delivery_shows_what_it_says_until_its_last_try_and_is_replayed(
    desk: Desk, client: AsyncClient, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    receiver.answers(answering(500))
    await desk.generate("a <b>banana</b> موزة")
    delivery = await desk.tried(webhook)
    await log_in(client, desk.person.email)
    path = f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}"
    answer = await client.get(path)

    assert "<b>banana" not in answer.text
    page = html.unescape(answer.text)
    assert '"prompt": "a <b>banana</b> موزة"' in page
    assert '<div dir="auto">' in page
    for fact in ("The endpoint answered 500.", "1 of 10", delivery["event_id"]):
        assert fact in page
    assert "failing" in await look(client, "/webhooks")

    receiver.answers(answering(204))
    replayed = await send(client, f"{path}/replay")
    assert replayed.headers["location"] == f"/webhooks/{webhook['id']}?done=replayed"
    await desk.tried(webhook)
    assert "went with the last try" in await look(client, path)


async def test_deliveries_are_paged_and_filtered_by_state(
    desk: Desk, client: AsyncClient, receiver: Receiver, services: Services
) -> None:
    webhook = await desk.add(receiver.url)
    for _ in range(23):
        await desk.test(webhook)
    listed = [delivery["id"] for delivery in await desk.deliveries(webhook, "?limit=100")]
    await services.database.statement(
        "update webhook_deliveries set state = 'failed', due_at = null where id = any(%(ids)s)",
        {"ids": listed[:21]},
    )
    await log_in(client, desk.person.email)
    path = f"/webhooks/{webhook['id']}"

    async def walk(start: str) -> list[str]:
        seen, next = [], start
        while next:
            page = await look(client, next)
            seen += re.findall(rf'href="{path}/deliveries/(\w+)"', page)
            next = "".join(re.findall(r'href="([^"]+)">Older<', page))
        return seen

    assert await walk(path) == listed
    assert await walk(f"{path}?status=failed") == listed[:21]
    assert await walk(f"{path}?status=pending") == listed[21:]
    assert "There are none that succeeded." in await look(client, f"{path}?status=succeeded")
    for query in ("status=lost", "cursor=whd_1"):
        assert (await client.get(f"{path}?{query}")).status_code == 400


async def test_an_endpoint_is_nobody_elses(
    desk: Desk, client: AsyncClient, charlie: Person, receiver: Receiver
) -> None:
    webhook = await desk.add(receiver.url)
    delivery = await desk.test(webhook)
    await log_in(client, charlie.email)
    path = f"/webhooks/{webhook['id']}"
    delivered = f"{path}/deliveries/{delivery['id']}"

    assert receiver.url not in await look(client, "/webhooks")
    assert [(await client.get(tried)).status_code for tried in (path, delivered)] == [404, 404]
    for action in ("", "/enable", "/disable", "/rotate-secret", "/delete", "/test"):
        answer = await send(client, f"{path}{action}", url=URL, events="image.failed")
        assert (answer.status_code, receiver.url in answer.text) == (404, False)
    assert (await send(client, f"{delivered}/replay")).status_code == 404
    assert (await desk.call("GET", f"/{webhook['id']}")).json() == {
        name: value for name, value in webhook.items() if name != "secret"
    }


async def test_pages_and_api_count_against_the_same_limits(
    desk: Desk, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log_in(client, desk.person.email)
    monkeypatch.setattr(desk.services.throttle, "_scale", 3 / 60)
    webhook = await desk.add(URL)
    refused = await send(client, "/webhooks", url=f"{URL}/2", events="image.failed")
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
    assert f'value="{URL}/2"' in refused.text

    await desk.test(webhook)
    path = f"/webhooks/{webhook['id']}/test"
    assert [(await send(client, path)).status_code for _ in range(3)] == [303, 303, 429]


def test_every_event_has_its_sentence() -> None:
    assert tuple(EVENTS) == get_args(EventType)
