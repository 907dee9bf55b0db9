import re

from httpx2 import AsyncClient
from playwright.async_api import expect

from tests.browser.journeys.walk import Walk, saved, shows_picture
from tests.browser.member import Member
from tests.browser.site import Site
from tests.people import Person

# The newest first, as they hang.
PROMPTS = ["a third banana", "a second banana", "a first banana", "a banana for good"]


async def test_images_are_found_opened_downloaded_and_deleted(
    walk: Walk, ada: Person, client: AsyncClient
) -> None:
    links = await made(ada, client)
    await walk.page.goto("/gallery")
    await hang_there(walk, PROMPTS)

    await walk.hand.unfold("Filter")
    await walk.hand.choose("Status", "Refused")
    await walk.hand.press("Show")
    await expect(walk.page.locator("#pictures li")).to_contain_text("Refused")
    await hang_there(walk, [])
    await walk.hand.follow("Show all")
    await hang_there(walk, PROMPTS)

    await opened_and_downloaded(walk, client, links["a first banana"])
    await walk.hand.press("Delete")
    await walk.arrives("Delete this image?")
    await walk.hand.follow("Keep it")
    await walk.hand.press("Delete")
    await walk.hand.press("Delete it for good")
    await walk.is_told("Deleted for good.")
    await hang_there(walk, [*PROMPTS[:2], PROMPTS[3]])
    assert await statuses(client, links) == [200, 200, 410, 200]

    for prompt in PROMPTS[:2]:
        await walk.hand.tick(f"Choose {prompt}")
    await walk.hand.press("Delete the chosen ones")
    await walk.arrives("Delete 2 images?")
    await walk.hand.press("Delete them for good")
    await walk.is_told("Deleted for good.")
    await hang_there(walk, PROMPTS[3:])
    assert await statuses(client, links) == [410, 410, 410, 200]


async def made(ada: Person, client: AsyncClient) -> dict[str, str]:
    links = {}
    for prompt in [*reversed(PROMPTS), "[test:content_policy]"]:
        order = {"prompt": prompt, "format": "webp"}
        answer = (await client.post("/v1/generate", json=order, headers=ada.by_test_key)).json()
        links[prompt] = answer.get("url", "")
    return {prompt: links[prompt] for prompt in PROMPTS}


async def hang_there(walk: Walk, prompts: list[str]) -> None:
    await expect(walk.page.locator("#pictures img")).to_have_count(len(prompts))
    alts = await walk.page.locator("#pictures img").evaluate_all("all => all.map(one => one.alt)")
    assert alts == prompts


async def opened_and_downloaded(walk: Walk, client: AsyncClient, link: str) -> None:
    """What is saved is what programs get, to the byte."""
    await walk.hand.follow(re.compile("a first banana"))
    await walk.arrives("An image of 1024x1024")
    await shows_picture(walk.page.get_by_role("img", name="a first banana"))
    async with walk.page.expect_download() as downloading:
        await walk.hand.follow("Download")
    download = await downloading.value
    assert download.suggested_filename.endswith(".webp")
    assert await saved(download) == (await client.get(link)).content


async def statuses(client: AsyncClient, links: dict[str, str]) -> list[int]:
    return [(await client.get(link)).status_code for link in links.values()]


async def test_older_images_come_below_and_the_next_press_brings_more(
    stranger: Walk, member: Member, site: Site
) -> None:
    walk = stranger
    await walk.be(member.person, site)
    await walk.page.goto("/gallery")
    tiles = walk.page.locator("#pictures > li")
    await expect(tiles).to_have_count(24)
    for page in (2, 3):
        first = await tiles.first.text_content()
        await walk.hand.follow("Show older ones")
        if walk.has_scripts:
            await expect(tiles).to_have_count(24 * page)
            await expect(walk.page.get_by_role("link", name="Show older ones")).to_be_focused()
        else:
            await expect(tiles.first).not_to_have_text(first or "")
            await expect(tiles).to_have_count(24)
