import json

from httpx2 import AsyncClient

from tests.browser.conftest import Opener
from tests.browser.journeys.walk import Walk, saved
from tests.people import PASSWORD, Person

NEW_PASSWORD = "another horse battery"


async def test_the_password_is_changed_all_data_taken_along_and_the_account_erased(
    stranger: Walk, ada: Person, opened: Opener, client: AsyncClient
) -> None:
    walk = stranger
    await logged_in(walk, ada.email)
    await the_cookie_is_the_browsers_alone(walk)

    async with opened(as_=ada) as elsewhere:
        other = await elsewhere.new_page()
        await other.goto("/account")
        assert await other.title() == "Your account · NanoBanana"
        await password_changed(walk)
        await other.reload()
        assert await other.title() == "Log in · NanoBanana"

    async with walk.page.expect_download() as downloading:
        await walk.hand.press("Download")
    export = json.loads(await saved(await downloading.value))
    assert export["account"]["email"] == ada.email

    await walk.hand.follow("Erase…")
    await walk.hand.type("Your password", PASSWORD)
    await walk.hand.press("Erase my account for good")
    await walk.is_told("wrong")
    await walk.hand.type("Your password", NEW_PASSWORD)
    await walk.hand.press("Erase my account for good")
    await walk.arrives("Your account is erased")
    await walk.page.goto("/account")
    await walk.arrives("Log in")
    assert (await client.get("/v1/account", headers=ada.by_key)).status_code == 401


async def logged_in(walk: Walk, email: str) -> None:
    """From the page that was asked for, and back to it."""
    await walk.page.goto("/account")
    await walk.arrives("Log in")
    await walk.hand.type("E-mail address", email)
    await walk.hand.type("Password", "a wrong password")
    await walk.hand.press("Log in")
    await walk.is_told("wrong")
    await walk.hand.type("Password", PASSWORD)
    await walk.hand.press("Log in")
    await walk.arrives("Your account")


async def the_cookie_is_the_browsers_alone(walk: Walk) -> None:
    (cookie,) = await walk.page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("nb_session", True, "Lax")
    assert await walk.page.evaluate("document.cookie") == ""


async def password_changed(walk: Walk) -> None:
    await walk.hand.follow("Change the password")
    await walk.hand.type("Current password", PASSWORD)
    await walk.hand.type("New password", NEW_PASSWORD)
    await walk.hand.press("Set the password")
    await walk.is_told("All other sessions have ended.")
