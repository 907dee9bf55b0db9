"""The pages as Markdown: written ones with their facts filled in, made ones of the OpenAPI document, and the operator's."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nanobanana.kit.money import MICRO
from nanobanana.settings import Settings
from nanobanana.web.docs.contents import SECTIONS, Entry
from nanobanana.web.docs.facts import errors, facts
from nanobanana.web.docs.reference import Reference

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


class Sources:
    def __init__(self, settings: Settings, *, document: Callable[[], Mapping[str, Any]]) -> None:
        """`document`: what /openapi.json says."""
        self._settings = settings
        self._document = document

    def markdown(self, entry: Entry, *, base_url: str) -> str:
        """Without its title and summary."""
        reference = Reference(self._document(), base_url=base_url, codes=errors())
        if entry.tag:
            return reference.page(entry.tag)
        if file := self._operators_own(entry):
            return file.read_text("utf-8")
        return _templates.get_template(f"{entry.slug}.md").render(
            facts(self._settings),
            base_url=base_url,
            example=reference.example,
            error_objects=reference.errors(),
        )

    def _operators_own(self, entry: Entry) -> Path | None:
        return {"terms": self._settings.terms_file, "privacy": self._settings.privacy_file}.get(entry.slug)


def _error(code: str) -> str:
    """The heading of an error code, and what its class says of it."""
    error = errors()[code]
    again = "may succeed later" if error.retryable else "do not send it again unchanged"
    return f"### `{code}`\n\n**{error.status}** · `{error.type}` · {again} · not charged"


def _duration(seconds: float) -> str:
    """`30 days`, `1 hour`"""
    name, size = next((name, size) for name, size in _UNITS if seconds % size == 0)
    count = math.floor(seconds / size)
    # A day is rather 24 hours, a week rather 7 days.
    if name == "day" and count == 1:
        name, count = "hour", 24
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _per(window_s: int) -> str:
    """`a minute`, `in 15 minutes`"""
    return {60: "a minute", 3_600: "an hour", 86_400: "a day"}.get(window_s) or f"in {_duration(window_s)}"


def _dollars(micro_usd: int) -> str:
    """`$9`, `$0.02`"""
    whole, rest = divmod(micro_usd, MICRO)
    decimals = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{decimals}" if rest else f"${whole:,}"


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "content"),
    autoescape=False,  # noqa: S701 - Markdown; what becomes HTML of it escapes
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_templates.filters["duration"] = _duration
_templates.filters["per"] = _per
_templates.filters["dollars"] = _dollars
_templates.filters["number"] = "{:,}".format
_templates.globals["error"] = _error
_templates.globals["errors"] = errors
_templates.globals["sections"] = SECTIONS
