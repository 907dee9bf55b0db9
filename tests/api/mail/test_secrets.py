import json

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.api.mail.conftest import Desk
from tests.api.mail.server import MailServer, code_of, token_of
from tests.people import PASSWORD

ADA = "ada@example.com"
NEW = "quite another password"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"log_level": "debug"})


async def test_no_token_code_key_or_password_stands_in_any_table_or_log_after_all_flows(
    app: FastAPI,
    client: AsyncClient,
    desk: Desk,
    services: Services,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    secrets = [PASSWORD, NEW, *await all_flows(client, desk.mail_server)]

    tables = await services.database.statement(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
        {},
    )
    stored = ""
    for table in tables:
        rows = await services.database.statement(f"select t::text as row from {table['table_name']} t", {})
        stored += "\n".join(row["row"] for row in rows)
    said = capfd.readouterr()
    # The mail server's own log shows what it receives.
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")
    everything = stored + said.out + said.err + logged
    assert "send_password_changed" in stored
    assert '"path": "/v1/auth/verify-email"' in said.out
    assert [secret for secret in secrets if secret in everything or hexed(secret) in everything] == []


def hexed(secret: str) -> str:
    return secret.encode().hex()


async def all_flows(client: AsyncClient, mail_server: MailServer) -> list[str]:
    """Register, verify, log in, change, forget, reset, move; what nobody may find afterwards."""
    await client.post("/v1/auth/register", json={"email": ADA, "password": PASSWORD})
    mail = await mail_server.mail()
    code, verify_token = code_of(mail), token_of(mail)
    await client.get("/v1/auth/verify-email", params={"token": verify_token})
    wrong = {"email": ADA, "code": f"{(int(code) + 1) % 1_000_000:06d}"}
    await client.post("/v1/auth/verify-email", json=wrong)
    account = (await client.post("/v1/auth/verify-email", json={"token": verify_token})).json()
    session = account["session"]["access_token"]
    headers = {"Authorization": f"Bearer {session}"}
    await client.patch("/v1/account", json={"password": NEW, "current_password": PASSWORD}, headers=headers)
    await mail_server.mail()

    await client.post("/v1/auth/forgot-password", json={"email": ADA})
    reset_token = token_of(await mail_server.mail())
    unused = {"email": "new@example.com", "current_password": NEW}
    await client.patch("/v1/account", json=unused, headers=headers)
    confirm_token = token_of(await mail_server.mail())
    body = {"token": reset_token, "password": PASSWORD}
    assert (await client.post("/v1/auth/reset-password", json=body)).status_code == 204
    await mail_server.mail()

    await client.post("/v1/auth/register", json={"email": "bob@example.com", "password": NEW})
    pending = await mail_server.mail()
    keys = [account["api_key"]["key"], account["test_key"]["key"]]
    # A code of six digits may be part of a number by chance; as a value of its own it is found in JSON or a row.
    codes = [json.dumps(code_of(pending)), f",{code_of(pending)},", f" {code_of(pending)} "]
    return [verify_token, session, reset_token, confirm_token, token_of(pending), *codes, *keys]
