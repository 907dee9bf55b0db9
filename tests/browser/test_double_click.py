import asyncio

from playwright.async_api import Page, Route

from tests.people import PASSWORD


async def test_whoever_clicks_twice_while_the_account_is_made_is_shown_its_keys(page: Page) -> None:
    sent: list[str] = []

    async def slowly(route: Route) -> None:
        sent.append(route.request.method)
        await asyncio.sleep(0.4)
        await route.continue_()

    await page.goto("/register")
    await page.fill("#email", "twice@example.com")
    await page.fill("#password", PASSWORD)
    await page.check("#terms")
    await page.route("**/register", slowly)
    await page.get_by_role("button", name="Create the account").click(click_count=2, delay=100)

    await page.get_by_role("heading", name="Welcome").wait_for()
    assert sent == ["POST"]
