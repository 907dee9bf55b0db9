"""What pages load beside their HTML."""

import hashlib
import re
from collections import defaultdict
from pathlib import Path

from httpx2 import AsyncClient

import nanobanana.web.static_files
from nanobanana.web.static_files import static_url

FOLDER = Path(nanobanana.web.static_files.__file__).parent / "static"


def test_the_vendored_script_is_the_released_one() -> None:
    # htmx 4.0.1, dist/htmx.min.js as it is released.
    released = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    assert hashlib.sha256((FOLDER / "htmx.min.js").read_bytes()).hexdigest() == released
    assert "Zero-Clause BSD" in (FOLDER / "htmx.LICENSE.txt").read_text()


async def test_every_file_comes_packed_for_whoever_takes_that(client: AsyncClient) -> None:
    for name in ("style.css", "htmx.min.js", "nanobanana.js", "banana.svg"):
        packed = await client.get(static_url(name), headers={"Accept-Encoding": "gzip"})
        plain = await client.get(static_url(name), headers={"Accept-Encoding": "identity"})

        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.text == plain.text


async def test_the_style_sheet_begins_with_what_all_pages_share(client: AsyncClient) -> None:
    style = (await client.get(static_url("style.css"))).text

    for part in FOLDER.glob("style/*/*.css"):
        assert part.read_text() in style
    base = max(style.index(part.read_text()) for part in FOLDER.glob("style/base/*.css"))
    assert all(style.index(part.read_text()) > base for part in FOLDER.glob("style/pages/*.css"))


def test_no_two_pages_style_the_same_class() -> None:
    """A class of its own page may stand behind another's, as in `.promises .small`, but not by itself."""
    owners: dict[str, set[str]] = defaultdict(set)
    for file in FOLDER.glob("style/pages/*.css"):
        rules = re.sub(r"/\*.*?\*/|@media[^{]*{", "", file.read_text(), flags=re.DOTALL)
        for selectors in re.findall(r"([^{}]+){", rules):
            for selector in selectors.split(","):
                if found := re.match(r"\s*\.([\w-]+)", selector):
                    owners[found[1]].add(file.name)

    assert {name: sorted(files) for name, files in owners.items() if len(files) > 1} == {}
