"""What the tests of the documentation read of it."""

import re
from typing import NamedTuple

from httpx2 import AsyncClient

from nanobanana.web.docs.contents import ENTRIES, HOME, Entry

PAGES = list(ENTRIES.values())
# The home page begins with the quickstart.
ONCE = [entry for entry in PAGES if entry is not HOME]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    text: str


async def twin_of(client: AsyncClient, entry: Entry) -> str:
    answer = await client.get(entry.twin)
    assert answer.status_code == 200, answer.text
    return answer.text


def blocks_of(markdown: str) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(markdown)]


def anchors_of(html: str) -> set[str]:
    return set(re.findall(r'<h[1-6] id="([^"]+)"', html))


def links_of(html: str) -> set[str]:
    """Those of the page itself; what stands on all pages has tests elsewhere."""
    return set(re.findall(r'href="([^"]+)"', html.partition("<main")[2].partition("</main>")[0]))
