"""A page as somebody reads it."""

import html
import re

from httpx2 import Response


def words(page: Response | str) -> str:
    """Its text in one line."""
    text = page if isinstance(page, str) else page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def rows(page: Response, table: str) -> list[list[str]]:
    """The cells of the table with that class or in the region of that name, without its head."""
    (found,) = re.findall(
        rf'(?:class|aria-label)="{table}">\s*(?:<table>)?(.*?)</table>', page.text, re.DOTALL
    )
    lines = found.partition("</thead>")[2].split("<tr")[1:]
    return [[words(cell) for cell in re.split(r"<t[hd][^>]*>", line)[1:]] for line in lines]
