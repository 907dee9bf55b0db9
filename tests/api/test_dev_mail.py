import html
import re

import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr

from nanobanana.domain.notifications.samples import samples, template_names
from nanobanana.integrations.email.types import Mail
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person

PREVIEWS = ("/templates/verify_address", "/templates/verify_address/1")


async def put(services: Services, number: int) -> None:
    mail = Mail(to="ada@example.com", subject=f"mail {number:02}", text=f"<b>{number}</b>", html="<b>hi</b>")
    await services.people.mailbox.send(mail)


async def test_the_page_shows_the_last_50_newest_first(client: AsyncClient, services: Services) -> None:
    for number in range(51):
        await put(services, number)
    page = await client.get("/dev/mail")

    assert re.findall(r"<h2>mail (\d+)</h2>", page.text) == [f"{number:02}" for number in range(50, 0, -1)]
    assert "<b>50</b>" not in page.text
    assert "&lt;b&gt;50&lt;/b&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_the_html_part_is_shown_where_no_script_runs(client: AsyncClient, services: Services) -> None:
    await put(services, 1)
    (path,) = re.findall(r'src="(/dev/mail/[^"]+)"', (await client.get("/dev/mail")).text)
    part = await client.get(path)

    assert part.text == "<b>hi</b>"
    assert "sandbox" in part.headers["content-security-policy"]
    assert (await client.get("/dev/mail/eml_0000000000000000000000")).status_code == 404


async def test_every_template_is_shown_with_subject_text_and_a_sandboxed_frame(client: AsyncClient) -> None:
    listed = await client.get("/dev/mail/templates")
    names = re.findall(r'href="/dev/mail/templates/(\w+)"', listed.text)

    assert names == template_names()
    for name in names:
        page = await client.get(f"/dev/mail/templates/{name}")
        frames = re.findall(r'<iframe class="mail" src="([^"]+)" sandbox="allow-popups"', page.text)
        mails = await samples(name)
        assert len(frames) == len(mails) >= 1
        for frame, mail in zip(frames, mails, strict=True):
            part = await client.get(frame)
            assert part.text == mail.html
            assert "sandbox" in part.headers["content-security-policy"]
            assert f"<h2>{mail.subject}</h2>" in html.unescape(page.text)
            assert mail.text in html.unescape(page.text)
    for missing in ("nothing", "layout.html", "verify_address/0", "verify_address/2"):
        assert (await client.get(f"/dev/mail/templates/{missing}")).status_code == 404


async def test_without_a_mail_server_a_reset_comes_to_the_page_and_works(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await services.people.credentials.send_password_reset(alice.email, base_url="http://nanobanana.test")
    page = (await client.get("/dev/mail")).text
    token = re.findall(r"token=([\w-]+)", page)[0]
    body = {"token": token, "password": "quite another password"}

    assert (await client.post("/v1/auth/reset-password", json=body)).status_code == 204


async def test_the_log_tells_subject_and_address_but_no_link(
    services: Services, alice: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    await services.people.credentials.send_password_reset(alice.email, base_url="http://nanobanana.test")
    said = capfd.readouterr()

    assert "token=" not in said.out + said.err


class TestInProduction:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(
            update={
                "environment": "production",
                "public_url": "https://nanobanana.test",
                "gemini_api_key": SecretStr("sandbox"),
            }
        )

    async def test_there_is_no_page_and_no_mail_is_kept(
        self, client: AsyncClient, alice: Person, services: Services
    ) -> None:
        await services.people.credentials.send_password_reset(alice.email, base_url="https://nanobanana.test")

        for path in ("", "/eml_0000000000000000000000", "/templates", *PREVIEWS):
            assert (await client.get(f"/dev/mail{path}")).status_code == 404
        assert await services.people.mailbox.newest() == []
