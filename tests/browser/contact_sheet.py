"""All screenshots on one page, light beside dark."""

from html import escape
from pathlib import Path

from tests.browser.pages import LOOKS
from tests.browser.visit import SCHEMES, VIEWPORTS

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>All pages</title>
<style>
body {{ margin: 24px; font: 16px/1.5 sans-serif }}
figure {{ display: flex; gap: 16px; align-items: start; margin: 0 0 48px }}
a {{ flex: 3; border: 1px solid #999 }}
a.phone {{ flex: 1 }}
img {{ display: block; width: 100% }}
</style>
{}
"""


def write_contact_sheet(folder: Path) -> None:
    """Of the table alone: whichever process writes it, it is the same."""
    (folder / "index.html").write_text(_PAGE.format("\n".join(_row(look.name, look.path) for look in LOOKS)))


def _row(name: str, path: str) -> str:
    links = "\n".join(
        f'<a class="{device}" href="{file}"><img loading="lazy" src="{file}" alt="{name}, {device}, {scheme}"></a>'
        for device in VIEWPORTS
        for scheme in SCHEMES
        for file in [file_name(name, device, scheme)]
    )
    return f'<h2 id="{name}">{name} <code>{escape(path)}</code></h2>\n<figure>\n{links}\n</figure>'


def file_name(name: str, device: str, scheme: str) -> str:
    return f"{name}-{device}-{scheme}.png"
