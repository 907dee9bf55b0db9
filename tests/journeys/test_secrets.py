"""Nothing that opens a door stands in the clear where it need not."""

import asyncio
import json
import os
from pathlib import Path

from httpx2 import AsyncClient

from tests.api.mail.server import MailServer, code_of, running_mail_server, token_of
from tests.cli.serving import serving
from tests.people import PASSWORD
from tests.rows import rows_of_all_tables

ADA = "ada@example.com"
NEW = "quite another password"


async def test_no_token_code_key_or_password_stands_in_any_table_or_log_after_all_flows(
    data_dir: Path, database_url: str
) -> None:
    async with running_mail_server() as mail_server:
        settings = {
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ["TEST_REDIS_URL"],
            "SMTP_URL": mail_server.url,
            "MAIL_FROM": "hello@example.com",
            "LOG_LEVEL": "debug",
        }
        with serving(data_dir, factory=None, settings=settings) as service:
            async with AsyncClient(base_url=service.url, timeout=30) as client:
                secrets = await all_flows(client, mail_server)
            stored = "\n".join(row for _, row in rows_of_all_tables(database_url))
            service.process.terminate()
            await asyncio.to_thread(service.finish)

    said = service.said.removeprefix(service.announced)
    assert "send_password_changed" in stored
    assert '"path":"/v1/auth/verify-email"' in said
    everything = stored + said
    assert [secret for secret in secrets if secret in everything or hexed(secret) in everything] == []


def hexed(secret: str) -> str:
    return secret.encode().hex()


async def all_flows(client: AsyncClient, mail_server: MailServer) -> list[str]:
    """Register, verify, log in, change, forget, reset, move; what nobody may find afterwards."""
    await client.post("/v1/auth/register", json={"email": ADA, "password": PASSWORD})
    mail = await mail_server.mail()
    code, verify_token = code_of(mail), token_of(mail)
    await client.get("/verify-email", params={"token": verify_token})
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
    return [
        PASSWORD,
        NEW,
        verify_token,
        session,
        reset_token,
        confirm_token,
        token_of(pending),
        *codes,
        *keys,
    ]
