import re

from playwright.async_api import expect

from tests.browser.journeys.curl import paste
from tests.browser.journeys.walk import Walk, shows_picture
from tests.people import PASSWORD


async def test_from_the_landing_page_to_the_first_image(stranger: Walk, address: str) -> None:
    walk = stranger
    async with walk.stage("register"):
        await walk.page.goto("/")
        await walk.hand.follow("Get a key")
        await walk.arrives("Create an account")
        await walk.hand.type("E-mail address", address)
        await walk.hand.type("Password", PASSWORD)
        await walk.hand.tick(re.compile("18 or older"))
        await walk.hand.press("Create the account")
    await from_the_key_to_the_gallery(walk)


async def from_the_key_to_the_gallery(walk: Walk) -> None:
    async with walk.stage("key shown"):
        await walk.arrives("Welcome. These are your keys.")
        key = await walk.text_of("live-key")
        lines = await walk.text_of("first-call-text-1")
        assert key in lines
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
    print(f"\nsign-up: {walk.told()}")
