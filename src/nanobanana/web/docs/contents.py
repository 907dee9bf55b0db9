"""The pages of the documentation, in their order."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nanobanana.web.openapi import TAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    slug: str
    title: str
    # One sentence: what somebody finds there.
    summary: str
    # Of the OpenAPI document, where the page is made of it.
    tag: str | None = None

    @property
    def path(self) -> str:
        return "/docs" if self.slug == "index" else f"/docs/{self.slug}"

    @property
    def twin(self) -> str:
        """Where the same page is Markdown."""
        return f"/docs/{self.slug}.md"


def _entry(slug: str, title: str, summary: str) -> Entry:
    return Entry(slug=slug, title=title, summary=summary)


def _of_tag(tag: Mapping[str, str]) -> Entry:
    slug = "reference/" + re.sub(r"\W+", "-", tag["name"].lower())
    return Entry(slug=slug, title=tag["name"], summary=tag["description"], tag=tag["name"])


HOME = _entry("index", "Documentation", "The first picture in a minute, and where everything else stands.")

SECTIONS: Mapping[str, Sequence[Entry]] = {
    "First steps": [
        _entry(
            "quickstart", "Quickstart", "From nothing to a picture: register, take the key, post a prompt."
        ),
        _entry(
            "authentication", "Authentication", "API keys for programs, sessions for managing an account."
        ),
        _entry("generating", "Generating images", "Prompt, size, style, format, and what comes back."),
        _entry("test-mode", "Test mode", "Pictures for nothing, and every failure on demand."),
    ],
    "Guides": [
        _entry("waiting", "Waiting", "How long a call is held, what 202 means, the queue, and cancelling."),
        _entry(
            "webhooks", "Webhooks", "Your server is told when an image is there: set up, verify, retries."
        ),
        _entry("images", "Images", "Links, thumbnails, formats, how long pictures stay, and deleting them."),
        _entry("keys", "Keys", "Caps, scopes, allowed addresses, rotation, and ending a key."),
        _entry("usage", "Usage", "What was used by day and key, and what is left."),
    ],
    "Facts": [
        _entry("errors", "Errors", "Every error code: what it means, what to do, whether to try again."),
        _entry(
            "limits", "Plans and limits", "Prices, quotas, speed, the headers that tell, and idempotency."
        ),
        _entry("changelog", "Changelog", "What changed for those who use the API."),
    ],
    "Reference": [_of_tag(tag) for tag in TAGS],
    "Terms": [
        _entry("terms", "Terms of use", "What you may do here, and what you may rely on."),
        _entry("privacy", "Privacy", "What is kept of you, for how long, who sees it, and whom to write to."),
    ],
}

ENTRIES: Mapping[str, Entry] = {
    entry.slug: entry for entry in (HOME, *(entry for entries in SECTIONS.values() for entry in entries))
}


# What somebody types who wants the whole of it.
REFERENCE = SECTIONS["Reference"][0]


def neighbours(entry: Entry) -> Iterator[Entry | None]:
    """The page before and the page after it; None where there is none."""
    entries = list(ENTRIES.values())
    place = entries.index(entry)
    yield entries[place - 1] if place else None
    yield entries[place + 1] if place + 1 < len(entries) else None
