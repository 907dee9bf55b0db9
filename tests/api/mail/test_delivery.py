"""Mail goes out after the commit, through whatever the mail server does."""

import asyncio
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from nanobanana.app import create_app
from nanobanana.integrations.email import smtp
from nanobanana.integrations.email.errors import MailError
from nanobanana.integrations.email.smtp import SmtpMailer
from nanobanana.integrations.email.types import Mail
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.storage import queue
from nanobanana.storage.queue import defer
from nanobanana.worker import queue_worker, tasks
from tests.api.mail.conftest import Desk, Due
from tests.api.mail.server import MailServer, code_of, running_mail_server
from tests.people import Person

ADA = "ada@example.com"
MAIL = Mail(to=ADA, subject="Bananas \U0001f34c", text="text", html="<p>html</p>")


def mailer(server: MailServer, timeout_s: float = 5) -> SmtpMailer:
    return SmtpMailer(server.url, sender="NanoBanana <hello@example.com>", timeout_s=timeout_s)


async def jobs(services: Services) -> list[dict[str, object]]:
    return await services.database.statement(
        "select status::text, attempts, scheduled_at > now() as later, args from procrastinate_jobs", {}
    )


async def until(services: Services, what: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """The only job, once it is so."""
    async with asyncio.timeout(20):
        while not ((found := await jobs(services)) and what(found[0])):
            await asyncio.sleep(0.02)
    return found[0]


async def test_refused_for_now_is_tried_again_later_and_then_arrives(
    desk: Desk, services: Services, due: Due
) -> None:
    desk.mail_server.answers = ["451 later, please"]
    await desk.register(ADA)
    job = await until(services, lambda job: job["attempts"] == 1)
    assert (job["status"], job["later"]) == ("todo", True)

    await due.now()
    code = code_of(await desk.mail_server.mail())
    verified = await desk.client.post("/v1/auth/verify-email", json={"email": ADA, "code": code})
    assert verified.status_code == 200


async def test_refused_for_good_is_not_tried_again(desk: Desk, services: Services) -> None:
    desk.mail_server.answers = ["550 nobody here"]
    await desk.register(ADA)

    job = await until(services, lambda job: job["status"] == "failed")
    assert (job["attempts"], desk.mail_server.tries) == (1, 1)


async def test_tries_are_bounded(
    desk: Desk, services: Services, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_WAITS_S", (1_000, 1_000))
    desk.mail_server.answers = ["451 later"] * 10
    await desk.register(ADA)
    for attempt in (1, 2):
        await until(services, lambda job, attempt=attempt: job["attempts"] == attempt)
        await due.now()

    job = await until(services, lambda job: job["status"] == "failed")
    assert (job["attempts"], desk.mail_server.tries) == (3, 3)


async def test_a_server_that_dies_midway_is_tried_again(desk: Desk, services: Services, due: Due) -> None:
    desk.mail_server.dies = True
    await desk.register(ADA)
    await until(services, lambda job: job["attempts"] == 1 and job["status"] == "todo")
    desk.mail_server.dies = False

    await due.now()
    assert (await desk.mail_server.mail())["To"] == ADA


async def test_a_server_that_hangs_is_given_up_within_the_timeout(mail_server: MailServer) -> None:
    mail_server.hangs = True

    with pytest.raises(MailError) as raised:
        await mailer(mail_server, timeout_s=0.2).send(MAIL)
    assert raised.value.retryable


async def test_a_server_that_is_away_is_worth_another_try(unused_tcp_port: int) -> None:
    nowhere = SmtpMailer(f"smtp://127.0.0.1:{unused_tcp_port}", sender="hello@example.com")

    with pytest.raises(MailError) as raised:
        await nowhere.send(MAIL)
    assert raised.value.retryable


@pytest.mark.parametrize(("answer", "retryable"), [("421 no", True), ("452 no", True), ("552 no", False)])
async def test_what_a_server_answers_says_whether_to_try_again(
    mail_server: MailServer, answer: str, *, retryable: bool
) -> None:
    mail_server.answers = [answer]

    with pytest.raises(MailError) as raised:
        await mailer(mail_server).send(MAIL)
    assert raised.value.retryable is retryable


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_user_and_password_of_the_url_are_used() -> None:
    async with running_mail_server(password="pa:ss@word") as server:
        right = SmtpMailer(f"smtp://ada:pa%3Ass%40word@127.0.0.1:{server.port}", sender="hello@example.com")
        wrong = SmtpMailer(f"smtp://ada:other@127.0.0.1:{server.port}", sender="hello@example.com")
        await right.send(MAIL)

        assert (await server.mail())["Subject"] == MAIL.subject
        with pytest.raises(MailError) as raised:
            await wrong.send(MAIL)
        assert "other" not in str(raised.value)


async def test_a_registration_that_is_rolled_back_leaves_no_job(services: Services, app: FastAPI) -> None:
    async with services.database.begin() as connection:
        await defer(connection, "send_password_changed", email=ADA)
        await connection.rollback()

    assert await jobs(services) == []


async def test_a_stop_in_the_middle_of_a_mail_waits_for_it(
    settings: Settings, mail_server: MailServer
) -> None:
    app = create_app(settings)
    mail_server.hangs = True
    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        async with services.database.begin() as connection:
            await defer(connection, "send_password_changed", email=ADA)
        await mail_server.someone_hangs.wait()
        asyncio.get_running_loop().call_later(0.5, mail_server.go_on.set)

    assert (await mail_server.mail())["To"] == ADA
    assert mail_server.tries == 1


class TestWithShortGrace:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"shutdown_grace_s": 0.3})

    async def test_a_mail_that_outlasts_the_grace_period_is_sent_by_another_process(
        self, settings: Settings, mail_server: MailServer
    ) -> None:
        first = create_app(settings)
        mail_server.hangs = True
        async with asyncio.timeout(20):
            async with first.router.lifespan_context(first):
                async with first.state.services.database.begin() as connection:
                    await defer(connection, "send_password_changed", email=ADA)
                await mail_server.someone_hangs.wait()
        mail_server.hangs = False

        second = create_app(settings)
        async with second.router.lifespan_context(second):
            await Due(second.state.services).now()
            assert (await mail_server.mail())["To"] == ADA


async def test_a_job_of_a_worker_that_died_begins_anew(services: Services, mail_server: MailServer) -> None:
    await services.database.statement(
        """
        with dead as (
            insert into procrastinate_workers (last_heartbeat) values (now() - interval '31 s') returning id
        )
        insert into procrastinate_jobs (queue_name, task_name, args, status, worker_id)
        select 'default', 'send_password_changed', %(args)s, 'doing', id from dead
        """,
        {"args": Jsonb({"email": ADA})},
    )
    await asyncio.gather(services.queue.retry_stalled(), services.queue.retry_stalled())
    await Due(services).now()

    assert (await mail_server.mail())["To"] == ADA


async def test_a_job_of_a_living_worker_is_left_alone(services: Services) -> None:
    await services.database.statement(
        """
        with living as (
            insert into procrastinate_workers (last_heartbeat) values (now() - interval '20 s') returning id
        )
        insert into procrastinate_jobs (queue_name, task_name, status, worker_id)
        select 'default', 'send_password_changed', 'doing', id from living
        """,
        {},
    )
    await services.queue.retry_stalled()

    assert [job["status"] for job in await jobs(services)] == ["doing"]


async def test_finished_jobs_are_deleted_after_an_hour(
    services: Services, alice: Person, client: AsyncClient
) -> None:
    job = await until(services, lambda job: job["status"] == "succeeded")
    assert job["attempts"] == 1
    older = "update procrastinate_events set at = at - make_interval(mins => %(minutes)s)"
    await services.database.statement(older, {"minutes": 59})
    await services.queue.delete_finished()
    assert len(await jobs(services)) == 1

    await services.database.statement(older, {"minutes": 2})
    await services.queue.delete_finished()
    assert await jobs(services) == []


def test_whatever_becomes_of_a_mail_its_job_is_gone_within_a_day() -> None:
    """A job holds an address, and its person may have been erased."""
    longest_s = sum(tasks._WAITS_S) + (len(tasks._WAITS_S) + 1) * smtp._TIMEOUT_S
    sweep_s = 1.2 * 600

    assert longest_s + queue._KEPT_HOURS * 3_600 + sweep_s < 24 * 3_600


async def test_mail_needs_a_sender() -> None:
    with pytest.raises(ValueError, match="MAIL_FROM"):
        Settings(smtp_url=SecretStr("smtp://127.0.0.1"))


@pytest.mark.parametrize("url", ["http://mail.example.com", "smtp://", "mail.example.com:25"])
async def test_what_is_no_address_of_a_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://") as raised:
        Settings(smtp_url=SecretStr(url), mail_from="hello@example.com")
    assert "mail.example" not in str(raised.value)


async def test_jobs_run_again_after_the_database_cut_their_connections(
    desk: Desk, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_worker, "_PAUSE_S", 0.1)
    await desk.register(ADA)
    await desk.mail_server.mail()
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nanobanana jobs' and datname = current_database()"
    await services.database.statement(cut, {})
    await desk.register("bob@example.com")

    assert (await desk.mail_server.mail())["To"] == "bob@example.com"
