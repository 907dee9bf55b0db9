"""The documentation as it is answered: each page made once for each address that people know the service by."""

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nanobanana.settings import Settings
from nanobanana.web.docs.contents import ENTRIES, HOME, SECTIONS, Entry, neighbours
from nanobanana.web.docs.drawings import sizes_drawing
from nanobanana.web.docs.markdown import rendered
from nanobanana.web.docs.sources import Sources
from nanobanana.web.pages import render

# Pages of some five addresses: an address is whatever a request's Host says, where PUBLIC_URL does not.
_KEPT = 200
_FILES = {"sizes.svg", "llms.txt", "llms-full.txt"}
# Of the headings, in "On this page".
_LISTED = 2
_OUR_LINK = re.compile(r"\]\(/([^)]*)\)")
_INTRODUCTION = """\
# NanoBanana

> AI image generation through a dead-simple API: register, take the key, post a prompt, receive a picture. No image, no charge.

The whole documentation as one file: {base_url}/llms-full.txt. The OpenAPI document: {base_url}/openapi.json."""


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    zipped: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, text: str, media_type: str) -> "Answer":
        body = text.encode()
        etag = hashlib.sha256(body).hexdigest()[:16]
        return cls(body, gzip.compress(body, mtime=0), f"{media_type}; charset=utf-8", etag)


class Documentation:
    def __init__(self, settings: Settings, *, document: Callable[[], Mapping[str, Any]]) -> None:
        self._sources = Sources(settings, document=document)
        self._made = lru_cache(_KEPT)(self._make)

    def answer(self, name: str, base_url: str) -> Answer | None:
        """`name`: a page's slug, that with `.md`, or a file of the documentation. None: there is no such thing, which is not
        kept, or guesses would drive out the pages."""
        is_there = name in _FILES or name.removesuffix(".md") in ENTRIES
        return self._made(name, base_url) if is_there else None

    def _make(self, name: str, base_url: str) -> Answer:
        if name == "sizes.svg":
            return Answer.of(sizes_drawing(), "image/svg+xml")
        if name == "llms.txt":
            return Answer.of(self._overview(base_url), "text/plain")
        if name == "llms-full.txt":
            pages = [self._twin(entry, base_url) for entry in ENTRIES.values() if entry is not HOME]
            return Answer.of("\n\n".join(pages), "text/plain")
        entry = ENTRIES[name.removesuffix(".md")]
        if name.endswith(".md"):
            return Answer.of(self._twin(entry, base_url), "text/markdown")
        return Answer.of(self._page(entry, base_url), "text/html")

    def _page(self, entry: Entry, base_url: str) -> str:
        content = rendered(self._sources.markdown(entry, base_url=base_url))
        before, after = neighbours(entry)
        return render(
            "docs/page.html",
            entry=entry,
            content=content.html,
            headings=[heading for heading in content.headings if heading.level == _LISTED],
            sections=SECTIONS,
            home=HOME,
            before=before,
            after=after,
        )

    def _twin(self, entry: Entry, base_url: str) -> str:
        text = self._sources.markdown(entry, base_url=base_url)
        twin = f"# {entry.title}\n\n> {entry.summary}\n\n{text.strip()}\n"
        return _OUR_LINK.sub(lambda match: f"]({base_url}{_twin_of('/' + match[1])})", twin)

    def _overview(self, base_url: str) -> str:
        """As llmstxt.org has it."""
        lines = [_INTRODUCTION.format(base_url=base_url)]
        for title, entries in SECTIONS.items():
            lines += ["", f"## {title}", ""]
            lines += [f"- [{entry.title}]({base_url}{entry.twin}): {entry.summary}" for entry in entries]
        return "\n".join(lines) + "\n"


def _twin_of(path: str) -> str:
    """From Markdown one goes on to Markdown."""
    page, hash, anchor = path.partition("#")
    if page == "/docs":
        return HOME.twin
    slug = page.removeprefix("/docs/")
    return f"{ENTRIES[slug].twin}{hash}{anchor}" if page.startswith("/docs/") and slug in ENTRIES else path
