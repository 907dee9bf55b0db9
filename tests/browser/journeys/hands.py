"""What a person does to a page, by the words that stand on it: with a mouse, or with the keys of a keyboard alone.

Of several things with the same words the first is meant."""

import re
from abc import ABC, abstractmethod
from typing import Literal

from playwright.async_api import Locator, Page

Words = str | re.Pattern[str]


class Hand(ABC):
    def __init__(self, page: Page) -> None:
        self._page = page

    async def follow(self, link: Words) -> None:
        await self._press("link", link)

    async def press(self, button: Words) -> None:
        await self._press("button", button)

    async def _press(self, role: Literal["link", "button"], words: Words) -> None:
        exact = isinstance(words, str)
        await self.activate(self._page.get_by_role(role, name=words, exact=exact).first)

    async def unfold(self, summary: Words) -> None:
        """Opens what is closed, and leaves open what is open."""
        details = self._page.locator("details", has=self._page.locator("summary", has_text=summary)).last
        if await details.get_attribute("open") is None:
            await self.activate(details.locator("summary").first)

    @abstractmethod
    async def activate(self, target: Locator) -> None: ...

    @abstractmethod
    async def press_twice(self, button: str) -> None: ...

    @abstractmethod
    async def type(self, label: str, text: str) -> None:
        """In place of what stands there."""

    @abstractmethod
    async def tick(self, label: Words) -> None: ...

    @abstractmethod
    async def choose(self, label: str, option: Words) -> None: ...

    def _field(self, label: Words) -> Locator:
        return self._page.get_by_label(label, exact=isinstance(label, str)).first


class Mouse(Hand):
    async def activate(self, target: Locator) -> None:
        await target.click()

    async def press_twice(self, button: str) -> None:
        await self._page.get_by_role("button", name=button, exact=True).dblclick()

    async def type(self, label: str, text: str) -> None:
        await self._field(label).fill(text)

    async def tick(self, label: Words) -> None:
        await self._field(label).check()

    async def choose(self, label: str, option: Words) -> None:
        field = self._field(label)
        option_ = field.locator("option", has_text=option)
        await field.select_option(value=await option_.get_attribute("value"))


class Keyboard(Hand):
    """Goes to everything by Tab, or back by Shift+Tab, and must see where it is."""

    # From the top of the longest page to its end.
    _MOST_TABS = 90

    async def activate(self, target: Locator) -> None:
        await self._go_to(target)
        await self._page.keyboard.press("Enter")

    async def press_twice(self, button: str) -> None:
        await self._go_to(self._page.get_by_role("button", name=button, exact=True))
        await self._page.keyboard.press("Enter")
        await self._page.keyboard.press("Enter")

    async def type(self, label: str, text: str) -> None:
        await self._go_to(self._field(label))
        await self._page.keyboard.press("Control+A")
        await self._page.keyboard.press("Delete")
        await self._page.keyboard.insert_text(text)

    async def tick(self, label: Words) -> None:
        await self._go_to(self._field(label))
        await self._page.keyboard.press("Space")

    async def choose(self, label: str, option: Words) -> None:
        field = self._field(label)
        await self._go_to(field)
        await self._page.keyboard.press("Home")
        for _ in range(await field.locator("option").count()):
            if await field.locator("option:checked", has_text=option).count():
                return
            await self._page.keyboard.press("ArrowDown")
        raise AssertionError(f"{label} offers no {option}")

    async def _go_to(self, target: Locator) -> None:
        element = await target.element_handle()
        key = await element.evaluate(_KEY_TOWARDS)
        for _ in range(self._MOST_TABS):
            if await element.evaluate("element => element == document.activeElement"):
                break
            await self._page.keyboard.press(key)
        else:
            raise AssertionError(f"{self._MOST_TABS} Tabs do not lead to {target}")
        assert await element.evaluate(_SHOWS_FOCUS), f"nobody sees that the focus is on {target}"


_KEY_TOWARDS = """
element => element.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING ? "Shift+Tab" : "Tab"
"""
_SHOWS_FOCUS = """
element => {
  const { outlineStyle, outlineWidth } = getComputedStyle(element), { width, height } = element.getBoundingClientRect()
  return outlineStyle != "none" && parseFloat(outlineWidth) >= 2 && width > 4 && height > 4
}
"""
