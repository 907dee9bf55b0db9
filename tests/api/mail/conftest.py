from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.api.mail.server import MailServer, code_of, running_mail_server
from tests.people import PASSWORD, Person


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    async with running_mail_server() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, mail_server: MailServer) -> Settings:
    """Mail is set up."""
    return settings.model_copy(
        update={"smtp_url": SecretStr(mail_server.url), "mail_from": "NanoBanana <hello@example.com>"}
    )


@dataclass(frozen=True)
class Desk:
    """The app and the post office, for whoever registers."""

    client: AsyncClient
    mail_server: MailServer

    async def register(self, email: str, password: str = PASSWORD) -> None:
        response = await self.client.post("/v1/auth/register", json={"email": email, "password": password})
        assert response.status_code == 202

    async def registered(self, email: str) -> Person:
        await self.register(email)
        code = code_of(await self.mail_server.mail())
        body = (await self.client.post("/v1/auth/verify-email", json={"email": email, "code": code})).json()
        return Person(
            email=email,
            key=body["api_key"]["key"],
            test_key=body["test_key"]["key"],
            token=body["session"]["access_token"],
        )


@pytest.fixture
def desk(client: AsyncClient, mail_server: MailServer) -> Desk:
    return Desk(client, mail_server)


@pytest.fixture
async def alice(desk: Desk) -> Person:
    return await desk.registered("alice@example.com")


@pytest.fixture
async def due(services: Services) -> "Due":
    return Due(services)


class Due:
    """Lets time pass for jobs that wait for their next try."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def now(self) -> None:
        await self._services.database.statement(
            "with due as (update procrastinate_jobs set scheduled_at = now() where status = 'todo' returning id)"
            " select pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', id)::text) from due",
            {},
        )
