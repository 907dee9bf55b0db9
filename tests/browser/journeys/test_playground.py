from httpx2 import AsyncClient
from playwright.async_api import expect

from nanobanana.domain.generation.magic_words import OUTCOMES, REFUSALS
from tests.browser.journeys.conftest import Way, by_mouse_too
from tests.browser.journeys.walk import Walk, shows_picture
from tests.people import Person

# Refused before a row, by the service's own fault, and after a row.
A_FEW = ["quota_exceeded=key_cap", "internal_error", "content_policy"]


@by_mouse_too
async def test_images_and_failures_in_the_playground(
    walk: Walk, way: Way, ada: Person, client: AsyncClient
) -> None:
    await walk.page.goto("/playground")
    await knows_the_cost_before(walk)
    await an_image_is_made(walk, "a banana in a hat")
    await an_image_is_made(walk, "a late banana [test:slow=1]")
    await two_presses_make_one_image(walk, ada, client)
    for word in [*REFUSALS, *OUTCOMES] if way.name == "mouse" else A_FEW:
        await a_failure_is_told(walk, word)


async def knows_the_cost_before(walk: Walk) -> None:
    cost = walk.page.locator("#cost")
    await expect(cost).to_have_text("Free: drawn in the sandbox, with TEST across it.")
    for mode, words in (("live", "Takes 1 "), ("test", "Free")):
        await walk.hand.choose("Who pays", mode)
        if not walk.has_scripts:
            await walk.hand.press("Show code and cost")
        await expect(cost).to_contain_text(words)


async def an_image_is_made(walk: Walk, prompt: str) -> None:
    await order(walk, prompt)
    result = walk.page.locator("#result")
    await expect(result.get_by_text("Made", exact=True)).to_be_visible()
    await shows_picture(result.get_by_role("img", name=prompt))


async def two_presses_make_one_image(walk: Walk, ada: Person, client: AsyncClient) -> None:
    await walk.hand.type("Prompt", "one banana")
    await walk.hand.press_twice("Make it")
    await expect(walk.page.locator("#result").get_by_role("img", name="one banana")).to_be_visible()
    made = (await client.get("/v1/generations", headers=ada.by_session)).json()["data"]
    assert [row["prompt"] for row in made].count("one banana") == 1


async def a_failure_is_told(walk: Walk, word: str) -> None:
    prompt = f"a banana [test:{word}]"
    await order(walk, prompt)
    code = word.partition("=")[0]
    result = walk.page.locator("#result")
    await expect(result.get_by_role("link", name=f"About {code}")).to_be_visible()
    await expect(result.get_by_text("Nothing was charged.")).to_be_visible()


async def order(walk: Walk, prompt: str) -> None:
    """What was typed stays; where a part of the page is exchanged, so does the focus."""
    answered = walk.page.locator('[name="once"]')
    before = await answered.input_value()
    await walk.hand.type("Prompt", prompt)
    await walk.hand.press("Make it")
    await expect(answered).not_to_have_value(before)
    await expect(walk.page.get_by_label("Prompt", exact=True).first).to_have_value(prompt)
    if walk.has_scripts:
        assert await walk.page.evaluate("document.activeElement.textContent") == "Make it"
