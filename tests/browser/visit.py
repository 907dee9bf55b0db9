"""One look at a page: what is heard while it loads, what axe finds in it, how wide it is, its picture."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
from playwright.async_api import BrowserContext, CDPSession, ConsoleMessage, Page, Response, ViewportSize

Device = Literal["desktop", "phone"]
Scheme = Literal["light", "dark"]

VIEWPORTS: dict[Device, ViewportSize] = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# The HTML parts of mails are frames without scripts: nothing could answer there.
_RUN_AXE = """
axe.run(document, {{
  iframes: false,
  preload: false,
  resultTypes: ["violations"],
  runOnly: {},
}}).then(results => results.violations.flatMap(
  rule => rule.nodes.map(node => `${{rule.id}}: ${{node.html.slice(0, 200)}}: ${{node.failureSummary}}`)
))
"""
_ALL = '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]'
# Light and dark are the same page in other colours.
_COLOURS = '{"type": "rule", "values": ["color-contrast", "link-in-text-block"]}'
_RULES: dict[Scheme, str] = {"light": _ALL, "dark": _COLOURS}


@dataclass
class Visit:
    page: Page
    devtools: CDPSession
    complaints: list[str] = field(default_factory=list)
    bytes: dict[str, int] = field(default_factory=dict)

    async def turn_to(self, device: Device, scheme: Scheme) -> None:
        await self.page.set_viewport_size(VIEWPORTS[device])
        await self.page.emulate_media(color_scheme=scheme)

    async def violations(self, scheme: Scheme) -> list[str]:
        """By the browser's tools, which a page's policy does not bind."""
        if not await self._evaluate("typeof axe == 'object'"):
            await self._evaluate(f"{_AXE};0")
        return await self._evaluate(_RUN_AXE.format(_RULES[scheme]))

    async def overflow(self) -> list[str]:
        """What sticks out on the right so that the whole page scrolls sideways."""
        return await self._evaluate(_OVERFLOW)

    @property
    def bytes_without_images(self) -> int:
        return sum(size for kind, size in self.bytes.items() if kind != "Image")

    async def _evaluate(self, expression: str) -> Any:
        options = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = await self.devtools.send("Runtime.evaluate", options)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")


_OVERFLOW = """
document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map(element => element.outerHTML.slice(0, 200))
    .concat(`${document.documentElement.scrollWidth} pixels wide`)
"""


async def begin_visit(context: BrowserContext) -> Visit:
    """On a new page, whose cache is empty."""
    page = await context.new_page()
    visit = Visit(page, await context.new_cdp_session(page))
    kinds: dict[str, str] = {}

    def answered(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event["type"]

    def finished(event: dict[str, Any]) -> None:
        kind = kinds[event["requestId"]]
        visit.bytes[kind] = visit.bytes.get(kind, 0) + event["encodedDataLength"]

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            visit.complaints.append(message.text)

    def responded(response: Response) -> None:
        """The page itself may have any status; its looks are asked for one."""
        if response.status >= 400 and not response.request.is_navigation_request():
            visit.complaints.append(f"{response.status}: {response.url}")

    visit.devtools.on("Network.responseReceived", answered)
    visit.devtools.on("Network.loadingFinished", finished)
    await visit.devtools.send("Network.enable")
    page.on("console", said)
    page.on("response", responded)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("requestfailed", lambda request: visit.complaints.append(f"not loaded: {request.url}"))
    return visit
