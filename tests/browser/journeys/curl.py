"""What a developer has beside the browser: a terminal with curl. The application is in this very loop, so nothing blocks."""

import asyncio
import json
from asyncio.subprocess import PIPE
from typing import Any

from tests.browser.site import Site


async def paste(lines: str) -> Any:
    """The lines as they stand on a page, and the JSON of their answer."""
    process = await asyncio.create_subprocess_shell(lines, stdout=PIPE)
    answer, _ = await process.communicate()
    return json.loads(answer)


async def generate(site: Site, key: str, prompt: str = "a banana") -> int:
    """The status of the answer."""
    order = json.dumps({"prompt": prompt})
    process = await asyncio.create_subprocess_exec(
        *("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{site.url}/v1/generate"),
        *("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", "-d", order),
        stdout=PIPE,
    )
    status, _ = await process.communicate()
    return int(status)
