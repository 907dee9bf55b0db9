import asyncio
import base64

import pytest
from httpx2 import AsyncClient
from psycopg import AsyncConnection
from pydantic import SecretStr

from nanobanana.domain.webhooks.secret_box import SecretBox
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.api.test_erasure import until_waiting
from tests.api.webhooks.conftest import ALL_EVENTS, Desk
from tests.people import PASSWORD, Person

URL = "http://127.0.0.1:9999/hooks"


async def test_an_endpoint_is_made_shown_changed_and_deleted(desk: Desk) -> None:
    made = await desk.add(URL, ["image.completed"])
    path = f"/{made['id']}"
    assert made["id"].startswith("whk_")
    assert (made["url"], made["events"], made["disabled"]) == (URL, ["image.completed"], False)
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert (await desk.call("GET", path)).json() == shown
    assert (await desk.call("GET")).json() == {"data": [shown]}

    changed = await desk.call(
        "PATCH", path, {"url": f"{URL}/new", "events": ["key.rotated"], "disabled": True}
    )
    as_it_stands = {
        "url": f"{URL}/new",
        "events": ["key.rotated"],
        "disabled": True,
        "disabled_reason": "owner",
    }
    assert changed.json() == {**shown, **as_it_stands}
    assert (await desk.call("PATCH", path, {})).json() == changed.json()
    assert (await desk.call("PATCH", path, {"disabled": False})).json()["disabled_reason"] is None

    assert (await desk.call("DELETE", path)).status_code == 204
    assert (await desk.call("GET")).json() == {"data": []}
    for method, place in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/rotate-secret"),
        ("POST", "/test"),
        ("GET", "/deliveries"),
    ):
        assert (await desk.call(method, path + place)).status_code == 404


async def test_a_secret_is_32_random_bytes_in_the_form_of_the_specification(desk: Desk) -> None:
    secrets = {(await desk.add(URL))["secret"] for _ in range(2)}

    assert len(secrets) == 2
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


async def test_a_secret_is_encrypted_at_rest_and_read_with_every_secret_key(
    desk: Desk, services: Services, settings: Settings
) -> None:
    secret = base64.b64decode((await desk.add(URL))["secret"].removeprefix("whsec_"))
    [row] = await services.database.statement("select secret from webhooks", {})
    stored = bytes(row["secret"])

    assert secret not in stored
    assert base64.b64encode(secret) not in stored
    rotated = settings.model_copy(update={"secret_key": SecretStr(f"a newer one,{settings.secret_keys[0]}")})
    assert SecretBox(rotated.secret_keys).decrypt(stored) == secret
    anew = SecretBox(rotated.secret_keys).encrypt(secret)
    assert SecretBox(["a newer one"]).decrypt(anew) == secret


async def test_a_rotation_gives_a_new_secret_and_says_until_when_the_old_one_signs(desk: Desk) -> None:
    made = await desk.add(URL)
    rotated = (await desk.call("POST", f"/{made['id']}/rotate-secret")).json()

    assert rotated["secret"] != made["secret"]
    changed = {"secret", "previous_secret_expires_at"}
    assert {name for name in made if made[name] != rotated[name]} == changed


async def test_an_account_has_ten_endpoints_at_most_however_many_are_made_at_once(
    desk: Desk, database_url: str
) -> None:
    body = {"url": URL, "events": ["key.rotated"]}
    for _ in range(9):
        await desk.add(URL)
    async with await AsyncConnection.connect(database_url) as connection:
        await connection.execute("select id from accounts for no key update")
        making = [asyncio.create_task(desk.call("POST", json=body)) for _ in range(3)]
        await until_waiting(connection, 3)
    made = [await answer for answer in making]

    assert sorted(answer.status_code for answer in made) == [201, 409, 409]
    codes = {answer.json()["error"]["code"] for answer in made if answer.status_code == 409}
    assert codes == {"too_many_webhooks"}
    await desk.call("DELETE", f"/{(await desk.call('GET')).json()['data'][0]['id']}")
    await desk.add(URL)


WRONG = [
    ({"url": URL}, "events"),
    ({"url": URL, "events": []}, "events"),
    ({"url": URL, "events": ["image.made"]}, "events.0"),
    ({"events": ALL_EVENTS}, "url"),
    ({"url": "https://example.invalid/" + "a" * 2_025, "events": ALL_EVENTS}, "url"),
    ({"url": "https://example.invalid/\u0007", "events": ALL_EVENTS}, "url"),
    ({"url": "https://example.invalid:22/", "events": ALL_EVENTS}, "url"),
    ({"url": URL, "events": ALL_EVENTS, "secret": "mine"}, "secret"),
]


async def test_what_is_wrong_is_named(desk: Desk) -> None:
    answers = [await desk.call("POST", json=body) for body, _ in WRONG]

    named = [(answer.status_code, answer.json()["error"]["param"]) for answer in answers]
    assert named == [(400, param) for _, param in WRONG]


async def test_a_url_has_2048_characters_at_most(desk: Desk) -> None:
    assert (await desk.add("https://example.invalid/" + "a" * 2_024))["url"].endswith("aaa")


class TestAsItComes:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"webhook_allowed_networks": ()})

    async def test_a_private_address_is_refused_with_the_way_to_allow_it(self, desk: Desk) -> None:
        made = await desk.add("http://1.1.1.1/")
        for host in ("127.0.0.1", "localhost", "169.254.169.254", "[::ffff:10.0.0.1]"):
            for method, path in (("POST", ""), ("PATCH", f"/{made['id']}")):
                body = {"url": f"http://{host}:9999/", "events": ALL_EVENTS}
                refused = await desk.call(method, path, body)
                error = refused.json()["error"]
                assert (refused.status_code, error["param"]) == (400, "url")
                assert "WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8" in error["message"]


async def test_an_endpoint_is_nobody_elses(desk: Desk, client: AsyncClient, charlie: Person) -> None:
    made = await desk.add(URL)
    path = f"/v1/webhooks/{made['id']}"
    delivery = await desk.test(made)
    calls = [
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/rotate-secret"),
        ("POST", f"{path}/test"),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/deliveries/{delivery['id']}/replay"),
    ]
    for headers, status in ((charlie.by_session, 404), (desk.person.by_key, 401), ({}, 401)):
        for method, url in calls:
            json = {"disabled": True} if method == "PATCH" else None
            assert (await client.request(method, url, json=json, headers=headers)).status_code == status
    other = await client.post(
        "/v1/webhooks", json={"url": URL, "events": ALL_EVENTS}, headers=charlie.by_session
    )
    crossed = f"/v1/webhooks/{other.json()['id']}/deliveries/{delivery['id']}/replay"
    assert (await client.post(crossed, headers=charlie.by_session)).status_code == 404


async def test_nothing_can_be_sent_to_a_disabled_endpoint(desk: Desk) -> None:
    made = await desk.add(URL)
    delivery = await desk.test(made)
    await desk.call("PATCH", f"/{made['id']}", {"disabled": True})

    for path in ("test", f"deliveries/{delivery['id']}/replay"):
        refused = await desk.call("POST", f"/{made['id']}/{path}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "webhook_disabled")


async def test_an_erased_account_has_no_endpoints_and_no_deliveries(desk: Desk, services: Services) -> None:
    made = await desk.add(URL)
    await desk.test(made)
    body = {"current_password": PASSWORD}
    erased = await desk.client.request("DELETE", "/v1/account", json=body, headers=desk.person.by_session)
    assert erased.status_code == 202
    assert await services.database.statement("select id from webhooks where deleted_at is null", {}) == []

    async with asyncio.timeout(20):
        while await services.database.statement(
            "select id from accounts where erasure_finished_at is null", {}
        ):
            await services.eraser.erase_due()
    assert await rows_left(services) == (0, 0)


async def test_the_export_tells_of_endpoints_without_their_secrets(desk: Desk) -> None:
    made = await desk.add(URL)
    export = await desk.client.get("/v1/account/export", headers=desk.person.by_session)

    assert export.json()["webhooks"] == [{name: made[name] for name in made if name != "secret"}]


async def test_what_a_deleted_endpoint_has_left_is_discarded(desk: Desk, services: Services) -> None:
    gone, stays = await desk.add(URL), await desk.add(URL)
    for webhook in (gone, stays):
        await desk.test(webhook)
    await desk.call("DELETE", f"/{gone['id']}")

    await services.webhooks.discard_old()

    assert await rows_left(services) == (1, 1)
    assert len(await desk.deliveries(stays)) == 1


async def rows_left(services: Services) -> tuple[int, int]:
    counts = "select (select count(*) from webhooks) as w, (select count(*) from webhook_deliveries) as d"
    [row] = await services.database.statement(counts, {})
    return row["w"], row["d"]
