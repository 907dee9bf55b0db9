import re

from playwright.async_api import expect

from tests.browser.journeys.curl import generate
from tests.browser.journeys.walk import Walk
from tests.browser.site import Site


async def test_the_life_of_a_key(walk: Walk, site: Site) -> None:
    key = await created(walk)
    assert [await generate(site, key), await generate(site, key)] == [200, 402]

    await to_the_key(walk, shows="1 of 1 images this month")
    await walk.hand.type("Name", "Production")
    await walk.hand.type("Images a month, at most", "5")
    await walk.hand.press("Save")
    await walk.is_told("Saved.")
    assert await generate(site, key) == 200

    await walk.hand.choose("The present text ends", "in an hour")
    await walk.hand.press("Rotate the key")
    await walk.arrives("Your new key")
    rotated = await walk.text_of("key")
    assert rotated != key
    assert [await generate(site, key), await generate(site, rotated)] == [200, 200]

    await walk.hand.follow("Settings of this key")
    await walk.hand.press("Disable")
    await walk.is_told("The key is disabled")
    assert [await generate(site, key), await generate(site, rotated)] == [401, 401]
    await walk.hand.press("Enable")
    await walk.is_told("The key is enabled")
    assert await generate(site, rotated) == 200

    await walk.hand.unfold("Revoke it for good")
    await walk.hand.press("Revoke the key")
    await walk.is_told("The key is revoked")
    assert [await generate(site, key), await generate(site, rotated)] == [401, 401]
    await expect(walk.page.get_by_role("link", name="Production")).to_have_count(0)


async def created(walk: Walk) -> str:
    """First with what cannot be: all of it is told at once, and what was typed stays."""
    await walk.page.goto("/keys")
    await walk.hand.unfold("New key")
    await walk.hand.type("Name", "Trial")
    await walk.hand.unfold("Limits, rights")
    await walk.hand.type("Images a month, at most", "1")
    await walk.hand.type("Where it may be used from", "nowhere")
    await walk.hand.press("Create the key")
    await walk.is_told("Something needs another look")
    await expect(walk.page.get_by_label("Where it may be used from")).to_have_attribute(
        "aria-invalid", "true"
    )
    await expect(walk.page.get_by_label("Name", exact=True)).to_have_value("Trial")
    await walk.hand.type("Where it may be used from", "127.0.0.0/8")
    await walk.hand.press("Create the key")
    await walk.arrives("Your new key")
    return await walk.text_of("key")


async def to_the_key(walk: Walk, *, shows: str) -> None:
    """Its text is shown nowhere any more."""
    key = await walk.text_of("key")
    await walk.hand.follow("I have it: to my keys")
    await walk.arrives("Keys")
    row = walk.page.get_by_role("listitem").filter(has_text="Trial")
    await walk.waits_for(row.get_by_text(shows))
    await expect(row.get_by_text(re.compile("^Last used"))).to_be_visible()
    await walk.hand.follow("Trial")
    await walk.arrives("Trial")
    assert key not in await walk.page.content()
