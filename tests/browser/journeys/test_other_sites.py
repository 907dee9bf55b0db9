"""What another site makes a browser send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape

import pytest
from httpx2 import AsyncClient
from playwright.async_api import expect

from tests.browser.conftest import Opener
from tests.browser.site import Site
from tests.people import PASSWORD, Person


@asynccontextmanager
async def sending(action: str, fields: dict[str, str], *, host: str) -> AsyncIterator[str]:
    """A site whose page sends a form to ours by itself."""
    inputs = "".join(f'<input name="{name}" value="{escape(text)}">' for name, text in fields.items())
    script = "<script>document.forms[0].submit()</script>"
    page = f'<!doctype html><title>Free bananas</title><form method="post" action="{action}">{inputs}</form>{script}'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{page}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}/"


# Another port is the same site to a browser: it sends the cookie along. A name is another site.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_form_on_another_site_does_nothing_here(
    host: str, site: Site, opened: Opener, ada: Person, client: AsyncClient
) -> None:
    keys = (await client.get("/v1/keys", headers=ada.by_session)).json()["data"]
    forms: dict[str, dict[str, str]] = {
        "/logout": {},
        "/keys": {"name": "Mallory", "mode": "live", "scopes": "generate"},
        "/login": {"email": "newcomer@example.com", "password": PASSWORD},
    }
    async with opened(as_=ada) as context:
        page = await context.new_page()
        before = await context.cookies()
        for path, fields in forms.items():
            async with sending(f"{site.url}{path}", fields, host=host) as address:
                async with page.expect_response(f"{site.url}{path}") as answering:
                    await page.goto(address, wait_until="commit")
                assert (await answering.value).status == 403
                await expect(page.get_by_role("alert")).to_contain_text("not sent from a page of ours")
        assert await context.cookies() == before
        await page.goto("/account")
        await expect(page.get_by_text(ada.email)).to_be_visible()
    assert (await client.get("/v1/keys", headers=ada.by_session)).json()["data"] == keys
