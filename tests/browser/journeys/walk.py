"""One person's way over the pages, with scripts or without, and how long each stage of it took."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Download, Locator, Page, expect

from tests.browser.journeys.hands import Hand, Words
from tests.browser.site import Site
from tests.people import Person

_ANNOUNCED = '[role="status"], [role="alert"], [aria-live]'
_PATIENCE_S = 15
expect.set_options(timeout=_PATIENCE_S * 1000)


@dataclass
class Walk:
    page: Page
    hand: Hand
    has_scripts: bool
    seconds: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    async def be(self, person: Person, site: Site) -> None:
        """Logged in."""
        cookie = {"name": "nb_session", "value": person.token, "url": site.url}
        await self.page.context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])

    async def arrives(self, heading: Words) -> None:
        exact = isinstance(heading, str)
        await expect(self.page.get_by_role("heading", level=1, name=heading, exact=exact)).to_be_visible()

    async def is_told(self, words: Words) -> None:
        """Where a screen reader says it too."""
        await expect(self.page.locator(_ANNOUNCED).filter(has_text=words).first).to_be_visible()

    async def waits_for(self, thing: Locator) -> None:
        """It turns up by itself; without scripts, where the page does not ask anew either, after reloading."""
        if self.has_scripts:
            await expect(thing).to_be_visible()
            return
        deadline = time.monotonic() + _PATIENCE_S
        while not await thing.is_visible() and time.monotonic() < deadline:
            await self.page.wait_for_timeout(200)
            await self.page.reload()
        await expect(thing).to_be_visible()

    async def text_of(self, id: str) -> str:
        return (await self.page.locator(f"#{id}").inner_text()).strip()

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def told(self) -> str:
        stages = [f"{name} {seconds:.2f} s" for name, seconds in self.seconds.items()]
        return f"{', '.join(stages)}; together {sum(self.seconds.values()):.2f} s"


async def shows_picture(picture: Locator) -> None:
    """The file came, and is one."""
    await picture.scroll_into_view_if_needed()
    await expect(picture).to_have_js_property("complete", value=True)
    assert await picture.evaluate("picture => picture.naturalWidth") > 0


async def saved(download: Download) -> bytes:
    return await asyncio.to_thread(Path(await download.path()).read_bytes)
