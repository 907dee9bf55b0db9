"""A real browser before the real application. All tests here share one loop, one browser, one application and its two
accounts: they change nothing, or bring an account of their own."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from httpx2 import AsyncClient
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from pytest_asyncio import is_async_test

from tests.browser.contact_sheet import write_contact_sheet
from tests.browser.member import Member, filled_account
from tests.browser.site import Site, running_site
from tests.conftest import fresh_database
from tests.people import Person, sign_up

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS_DIR", ".artifacts/screenshots"))

# Nothing of its own to the network, and nothing of a first start.
QUIET = [
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-gpu",
    "--metrics-recording-only",
]

fixture = partial(pytest_asyncio.fixture, loop_scope="session")

# Opens a context: `opened(as_=person, java_script_enabled=False, color_scheme="dark", viewport=…)`.
Opener = Callable[..., AbstractAsyncContextManager[BrowserContext]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium")
    if not found:
        missing = "There is no Chromium to look at the pages with: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return found


@fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@fixture(scope="session")
async def site(chromium: str, sandbox_url: str) -> AsyncIterator[Site]:
    with fresh_database() as database_url, tempfile.TemporaryDirectory(prefix="nb-") as folder:
        async with running_site(database_url, sandbox_url, Path(folder)) as site:
            yield site


@fixture(scope="session")
async def member(site: Site) -> Member:
    """Has something of everything there is."""
    async with AsyncClient(base_url=site.url, timeout=30) as client:
        return await filled_account(client, site)


@fixture(scope="session")
async def newcomer(site: Site) -> Person:
    """Has an account, and nothing in it."""
    async with AsyncClient(base_url=site.url, timeout=30) as client:
        return await sign_up(client, "newcomer@example.com")


@fixture
async def opened(browser: Browser, site: Site) -> Opener:
    @asynccontextmanager
    async def open_context(*, as_: Person | None = None, **options: Any) -> AsyncIterator[BrowserContext]:
        context = await browser.new_context(base_url=site.url, reduced_motion="reduce", **options)
        context.set_default_timeout(15_000)
        if as_:
            cookie = {"name": "nb_session", "value": as_.token, "url": site.url}
            await context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
        yield context
        await context.close()

    return open_context


@fixture
async def page(opened: Opener) -> AsyncIterator[Page]:
    """Of somebody who has never been here."""
    async with opened() as context:
        yield await context.new_page()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    write_contact_sheet(SCREENSHOTS)
    return SCREENSHOTS
