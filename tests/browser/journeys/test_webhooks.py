import re

from playwright.async_api import expect
from standardwebhooks import Webhook

from tests.browser.journeys.walk import Walk
from tests.receiver import receiving


async def test_an_endpoint_is_added_tested_and_its_delivery_replayed(walk: Walk) -> None:
    async with receiving() as (receiver, url):
        await walk.page.goto("/webhooks")
        await walk.hand.type("URL", url)
        await walk.hand.tick(re.compile("image.completed"))
        await walk.hand.press("Add the endpoint")
        await walk.arrives("Your endpoint is there")
        secret = await walk.text_of("webhook-secret")

        await walk.hand.press("Send a test event")
        await walk.is_told("A test event is on its way.")
        assert secret not in await walk.page.content()
        (first,) = await receiver.wait_for(1)
        Webhook(secret).verify(first.body, first.headers)
        await arrives_where_somebody_reads(walk)

        await walk.hand.follow("webhook.test")
        await walk.hand.press("Replay it")
        await walk.is_told("The delivery is sent once more.")
        again = (await receiver.wait_for(2))[1]
        assert again.headers["webhook-id"] == first.headers["webhook-id"]

        await walk.hand.unfold("Delete this endpoint")
        await walk.hand.press("Delete it for good")
        await walk.is_told("The endpoint is deleted")
        await expect(walk.page.get_by_text(url)).to_have_count(0)


async def arrives_where_somebody_reads(walk: Walk) -> None:
    """The list that asks for itself anew takes nobody's place away."""
    place = walk.page.locator("#deliveries").get_by_role("link", name="Failed")
    await place.focus()
    await walk.waits_for(walk.page.locator("#deliveries").get_by_text("succeeded", exact=True))
    if walk.has_scripts:
        await walk.is_told("succeeded")
        await expect(place).to_be_focused()
