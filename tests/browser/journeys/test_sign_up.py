import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import expect

from tests.api.mail.server import MailServer, code_of, running_mail_server
from tests.browser.conftest import fixture
from tests.browser.journeys.conftest import by_mouse_too
from tests.browser.journeys.curl import paste
from tests.browser.journeys.walk import Walk, shows_picture
from tests.browser.site import Site, running_site
from tests.conftest import fresh_database
from tests.people import PASSWORD


@fixture(scope="module")
async def site_with_mail(sandbox_url: str) -> AsyncIterator[tuple[Site, MailServer]]:
    with fresh_database() as database_url, tempfile.TemporaryDirectory(prefix="nb-") as folder:
        async with running_mail_server() as server:
            mail = {"smtp_url": server.url, "mail_from": "NanoBanana <hello@example.com>"}
            async with running_site(database_url, sandbox_url, Path(folder), **mail) as site:
                yield site, server


@by_mouse_too
async def test_from_the_landing_page_to_the_first_image(stranger: Walk, address: str) -> None:
    await registers(stranger, "/", address)
    await from_the_key_to_the_gallery(stranger)


async def test_with_mail_a_code_comes_between(
    stranger: Walk, address: str, site_with_mail: tuple[Site, MailServer]
) -> None:
    walk, (site, mail_server) = stranger, site_with_mail
    await registers(walk, f"{site.url}/", address)
    async with walk.stage("mail with a code"):
        await walk.arrives("Look into your mail")
        code = code_of(await mail_server.mail())
    async with walk.stage("verify"):
        await walk.hand.type("Code", f"{(int(code) + 1) % 1_000_000:06}")
        await walk.hand.press("Show my keys")
        await walk.is_told("code")
        await walk.hand.type("Code", code)
        await walk.hand.press("Show my keys")
    await from_the_key_to_the_gallery(walk)
    await walk.hand.follow("Account")
    await walk.arrives("Your account")
    await expect(walk.page.get_by_text("verified", exact=True)).to_be_visible()


async def registers(walk: Walk, landing_page: str, address: str) -> None:
    async with walk.stage("register"):
        await walk.page.goto(landing_page)
        await walk.hand.follow("Get a key")
        await walk.arrives("Create an account")
        await walk.hand.type("E-mail address", address)
        await walk.hand.type("Password", PASSWORD)
        await walk.hand.tick(re.compile("18 or older"))
        await walk.hand.press("Create the account")


async def from_the_key_to_the_gallery(walk: Walk) -> None:
    async with walk.stage("key shown"):
        await walk.arrives("Welcome. These are your keys.")
        key = await walk.text_of("live-key")
        lines = await walk.text_of("first-call-text-1")
        assert key in lines
        await takes_the_key_along(walk)
    await walk.page.evaluate("window.isTheSame = true")

    async with walk.stage("image made by curl"):
        made = await paste(lines)

    async with walk.stage("seen on the page"):
        if not walk.has_scripts:
            await walk.hand.follow("your dashboard")
            await walk.arrives("Overview")
        picture = walk.page.get_by_role("main").get_by_role("img", name="A cute banana wearing sunglasses")
        await shows_picture(picture.first)
        if walk.has_scripts:
            await walk.is_told("Your first image")
            assert await walk.page.evaluate("window.isTheSame"), "the page was loaded anew"
    async with walk.stage("in the gallery"):
        if walk.has_scripts:
            await walk.hand.follow("To your dashboard")
            await walk.arrives("Overview")
        await walk.hand.follow("Gallery")
        await walk.arrives("Gallery")
        await expect(walk.page.locator(f'#pictures a[href="/gallery/{made["id"]}"]')).to_be_visible()
        await expect(walk.page.get_by_text(key)).to_have_count(0)
    print(f"\nsign-up: {walk.told()}")  # noqa: T201 - for whoever measures, with -s


async def takes_the_key_along(walk: Walk) -> None:
    """By a button, which is there only where it works."""
    if walk.has_scripts:
        await walk.hand.press("Copy")
        await walk.is_told(re.compile("Copied|Ctrl"))
    else:
        await expect(walk.page.get_by_role("button", name="Copy")).to_have_count(0)
