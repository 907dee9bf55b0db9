"""What a person meets who erases the account; what is left behind is in domain/personal_data."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from psycopg import AsyncConnection

from nanobanana.app import create_app
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.conftest import in_memory
from tests.people import PASSWORD, Person, sign_up
from tests.rows import rows_of_all_tables

Answered = Callable[[Awaitable[Any]], Awaitable[Response]]


async def erase(client: AsyncClient, person: Person, password: str = PASSWORD) -> Response:
    body = {"current_password": password}
    return await client.request("DELETE", "/v1/account", json=body, headers=person.by_session)


async def generate(client: AsyncClient, person: Person, prompt: str = "a banana") -> Response:
    return await client.post("/v1/generate", json={"prompt": prompt}, headers=person.by_key)


async def test_a_wrong_password_erases_nothing(client: AsyncClient, alice: Person) -> None:
    refused = await erase(client, alice, "not my password")

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "wrong_password")
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 200
    assert (await client.get("/v1/generations", headers=alice.by_key)).status_code == 200


async def test_without_a_password_or_a_session_nothing_is_erased(client: AsyncClient, alice: Person) -> None:
    without_password = await client.request("DELETE", "/v1/account", json={}, headers=alice.by_session)
    by_key = await client.request(
        "DELETE", "/v1/account", json={"current_password": PASSWORD}, headers=alice.by_key
    )

    assert (without_password.status_code, by_key.status_code) == (400, 401)
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 200


async def test_keys_sessions_and_login_end_at_once(client: AsyncClient, alice: Person) -> None:
    login = {"email": alice.email, "password": PASSWORD}
    other = (await client.post("/v1/auth/login", json=login)).json()["access_token"]
    assert (await generate(client, alice)).status_code == 200  # the key is remembered from here on

    erased = await erase(client, alice)

    assert erased.status_code == 202
    assert "within a day" in erased.json()["message"]
    for headers in (alice.by_key, alice.by_test_key):
        made = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=headers)
        read = await client.get("/v1/generations", headers=headers)
        assert (made.status_code, read.status_code) == (401, 401)
    for headers in (alice.by_session, {"Authorization": f"Bearer {other}"}):
        for path in ("/v1/account", "/v1/account/sessions", "/v1/keys", "/v1/generations"):
            assert (await client.get(path, headers=headers)).status_code == 401
    again = await client.post("/v1/auth/login", json=login)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "invalid_credentials")
    assert (await erase(client, alice)).json()["error"]["code"] == "invalid_session"


async def test_a_key_that_another_process_remembers_ends_at_once_too(
    client: AsyncClient, alice: Person, settings: Settings
) -> None:
    other_process = create_app(settings)
    async with other_process.router.lifespan_context(other_process), in_memory(other_process) as other:
        assert (await generate(other, alice)).status_code == 200

        await erase(client, alice)

        assert (await generate(other, alice)).status_code == 401
        assert (await other.get("/v1/generations", headers=alice.by_key)).status_code == 401


async def test_the_address_can_register_anew_and_finds_nothing_of_before(
    client: AsyncClient, alice: Person
) -> None:
    await generate(client, alice)
    await erase(client, alice)

    anew = await sign_up(client, alice.email)

    assert (await client.get("/v1/generations", headers=anew.by_key)).json()["data"] == []
    assert (await generate(client, alice)).status_code == 401


async def test_nobody_else_is_touched(client: AsyncClient, alice: Person, charlie: Person) -> None:
    url = (await generate(client, charlie)).json()["url"]

    await erase(client, alice)

    assert (await client.get("/v1/account", headers=charlie.by_session)).json()["email"] == charlie.email
    assert (await client.get("/v1/generations", headers=charlie.by_key)).json()["data"][0]["url"] == url
    assert (await client.get(url)).status_code == 200


async def test_links_in_mails_end(client: AsyncClient, alice: Person, services: Services) -> None:
    token = await reset_token(services, alice)

    await erase(client, alice)

    body = {"token": token, "password": "quite another password"}
    reset = await client.post("/v1/auth/reset-password", json=body)
    assert (reset.status_code, reset.json()["error"]["code"]) == (400, "invalid_token")


async def test_of_twenty_erasures_at_once_one_counts_and_nobody_gets_a_500(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    answers = await asyncio.gather(*(erase(client, alice) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [202] + [401] * 19
    rows = await services.database.statement(
        "select count(*) from procrastinate_jobs where task_name = 'send_account_erased'", {}
    )
    assert rows == [{"count": 1}]


class TestBesideAnErasure:
    """Whatever began before the erasure and comes to the account after it adds nothing to it."""

    @pytest.fixture
    async def answered(self, client: AsyncClient, alice: Person, database_url: str) -> Answered:
        """The answer to a call that reaches the account while its erasure is not committed yet."""

        async def answered(call: Awaitable[Response]) -> Response:
            async with await AsyncConnection.connect(database_url) as connection:
                await connection.execute("select id from api_keys for update")
                erasure = asyncio.create_task(erase(client, alice))
                await until_waiting(connection, 1)
                called = asyncio.ensure_future(call)
                await until_waiting(connection, 2)
            assert (await erasure).status_code == 202
            return await called

        return answered

    @pytest.fixture(autouse=True)
    async def nothing_alive_is_left(self, services: Services) -> AsyncIterator[None]:
        yield
        rows = await services.database.statement(
            """
            select (select count(*) from sessions) as sessions, (select count(*) from one_time_tokens) as tokens,
                   (select count(*) from api_keys where revoked_at is null) as keys,
                   (select count(*) from generations) as generations
            """,
            {},
        )
        assert rows == [{"sessions": 0, "tokens": 0, "keys": 0, "generations": 0}]

    async def test_no_generation(self, client: AsyncClient, alice: Person, answered: Answered) -> None:
        assert (await answered(generate(client, alice))).status_code == 401

    async def test_no_session(self, client: AsyncClient, alice: Person, answered: Answered) -> None:
        login = {"email": alice.email, "password": PASSWORD}
        refused = await answered(client.post("/v1/auth/login", json=login))

        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_credentials")

    async def test_no_key(self, client: AsyncClient, alice: Person, answered: Answered) -> None:
        refused = await answered(client.post("/v1/keys", json={"name": "late"}, headers=alice.by_session))

        assert refused.status_code == 404

    async def test_no_change_of_address(self, client: AsyncClient, alice: Person, answered: Answered) -> None:
        change = {"email": "new@example.com", "current_password": PASSWORD}
        refused = await answered(client.patch("/v1/account", json=change, headers=alice.by_session))

        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_session")

    async def test_no_reset_by_a_link(
        self, client: AsyncClient, alice: Person, services: Services, answered: Answered
    ) -> None:
        body = {"token": await reset_token(services, alice), "password": "quite another password"}
        refused = await answered(client.post("/v1/auth/reset-password", json=body))

        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_token")

    async def test_no_token_for_a_reset(self, alice: Person, services: Services, answered: Answered) -> None:
        link = "http://nanobanana.test"
        await answered(services.people.credentials.send_password_reset(alice.email, base_url=link))


async def until_waiting(connection: AsyncConnection, count: int) -> None:
    """Until so many transactions of this database wait for another one."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while (await (await connection.execute(waiting)).fetchone()) != (count,):
            await connection.execute("select pg_stat_clear_snapshot()")
            await asyncio.sleep(0.01)


async def reset_token(services: Services, person: Person) -> str:
    await services.people.credentials.send_password_reset(person.email, base_url="http://nanobanana.test")
    mail = (await services.people.mailbox.newest())[0]
    return str(mail["text"]).partition("token=")[2].split()[0]


class TestAfterADay:
    """The wish of the law: nothing in any table tells who it was, and the money's rows are all there."""

    @pytest.fixture(params=["local", "none"])
    def settings(self, settings: Settings, request: pytest.FixtureRequest) -> Settings:
        return settings.model_copy(update={"image_store": request.param})

    async def test_no_table_knows_the_person_and_the_rows_of_money_stay(
        self, client: AsyncClient, services: Services, database_url: str, settings: Settings
    ) -> None:
        told = {
            "address": "ada.lovelace@example.com",
            "new address": "countess@example.com",
            "prompt": "a banana on an analytical engine",
            "key": "poetical science",
            "place": "203.0.113.77",
            "program": "difference-browser",
            "idempotency key": "for-my-friend-charles",
            "webhook": "https://engine.invalid/of-ada",
        }
        url = await self.live(client, told)
        await quiet(services)
        known = str([*rows_of_all_tables(database_url)])
        assert [name for name, text in told.items() if text not in known] == []

        ada = await self.log_in(client, told)
        erased = await client.request(
            "DELETE", "/v1/account", json={"current_password": PASSWORD}, headers=ada
        )
        assert erased.status_code == 202
        await a_day_later(services)

        left = str([*rows_of_all_tables(database_url)])
        assert [name for name, text in told.items() if text in left] == []
        assert [*files(settings.image_dir)] == []
        assert (await client.get(url)).status_code == 404
        assert await rows_of_money(services) == [("succeeded", "deleted", True)]

    async def live(self, client: AsyncClient, told: dict[str, str]) -> str:
        """Leaves a trace in every table. Gives the address of a picture."""
        credentials = {"email": told["address"], "password": PASSWORD}
        await client.post("/v1/auth/register", json=credentials)
        ada = await self.log_in(client, told)
        settings = {"name": told["key"], "allowed_addresses": [told["place"], "127.0.0.1"]}
        key = (await client.post("/v1/keys", json=settings, headers=ada)).json()["key"]
        webhook = {"url": told["webhook"], "events": ["image.completed"]}
        assert (await client.post("/v1/webhooks", json=webhook, headers=ada)).status_code == 201
        made = await client.post(
            "/v1/generate",
            json={"prompt": told["prompt"]},
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": told["idempotency key"]},
        )
        await client.post("/v1/auth/forgot-password", json={"email": told["address"]})
        move = {"email": told["new address"], "current_password": PASSWORD}
        assert (await client.patch("/v1/account", json=move, headers=ada)).status_code == 200
        url: str = made.json()["url"]
        return url if url.startswith("http") else "/images/none.jpg"

    async def log_in(self, client: AsyncClient, told: dict[str, str]) -> dict[str, str]:
        credentials = {"email": told["address"], "password": PASSWORD}
        answer = await client.post(
            "/v1/auth/login", json=credentials, headers={"User-Agent": told["program"]}
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def quiet(services: Services) -> None:
    """Once all jobs are done."""
    waiting = "select id from procrastinate_jobs where status in ('todo', 'doing')"
    async with asyncio.timeout(20):
        while await services.database.statement(waiting, {}):
            await asyncio.sleep(0.05)


async def a_day_later(services: Services) -> None:
    await quiet(services)
    for statement in (
        "update procrastinate_events set at = at - interval '1 day'",
        "update development_mails set created_at = created_at - interval '1 day'",
    ):
        await services.database.statement(statement, {})
    await services.queue.delete_finished()
    await services.people.mailbox.discard_old()
    unfinished = "select id from accounts where erased_at is not null and erasure_finished_at is null"
    async with asyncio.timeout(20):
        while await services.database.statement(unfinished, {}):  # perhaps the timetable is at it
            await services.eraser.erase_due()


async def rows_of_money(services: Services) -> list[tuple[object, ...]]:
    rows = await services.database.statement(
        "select state, image_state, image_bytes > 0 and model is not null and output_tokens > 0 as counted"
        " from generations",
        {},
    )
    return [tuple(row.values()) for row in rows]


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


async def test_mails_of_a_development_machine_are_kept_for_twelve_hours(services: Services) -> None:
    await services.people.notifications.password_changed("ada@example.com")
    later = "update development_mails set created_at = created_at - make_interval(hours => %(hours)s)"
    left = []
    for hours in (11, 2):
        await services.database.statement(later, {"hours": hours})
        await services.people.mailbox.discard_old()
        left.append(len(await services.people.mailbox.newest()))

    assert left == [1, 0]
