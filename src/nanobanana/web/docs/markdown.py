"""Markdown as HTML: tables, headings with anchors, code in colours. HTML in it is shown, never run."""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

_LANGUAGES = {
    "bash": "Shell",
    "python": "Python",
    "javascript": "JavaScript",
    "http": "HTTP",
    "json": "JSON",
    "text": "Text",
}


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    anchor: str
    html: Markup


@dataclass(frozen=True, slots=True)
class Rendered:
    html: Markup
    headings: Sequence[Heading]


def rendered(text: str) -> Rendered:
    environment: MutableMapping[str, Any] = {}
    tokens = _markdown.parse(text, environment)
    headings = list(_anchored(tokens))
    # What comes out holds no HTML but the renderer's own.
    html = Markup(_markdown.renderer.render(tokens, _markdown.options, environment))  # noqa: S704
    return Rendered(html, headings)


def anchor_of(title: str) -> str:
    """`POST /v1/keys/{id}` becomes `post-v1-keys-id`; codes of errors stay as they are."""
    return re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-")


def _anchored(tokens: Sequence[Token]) -> Sequence[Heading]:
    """Gives each heading its anchor, and a link to itself."""
    headings: list[Heading] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = anchor_of(inline.content)
            if again := sum(heading.anchor == anchor for heading in headings):
                anchor += f"-{again + 1}"
            opening.attrSet("id", anchor)
            html = Markup(_markdown.renderInline(inline.content))  # noqa: S704
            headings.append(Heading(int(opening.tag[1]), anchor, html))
    return headings


def _fence(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    """As components/code.html has it, in colours."""
    del renderer, options
    token, number = tokens[index], _count(environment, "examples")
    language = token.info.strip() if token.info.strip() in _LANGUAGES else "text"
    label = _LANGUAGES[language]
    html = highlight(token.content, get_lexer_by_name(language), HtmlFormatter(nowrap=True))
    return (
        f'<div class="code">\n<p>{label}</p>\n<pre id="code-{number}" tabindex="0" role="region" aria-label="{label}, '
        f'example {number}"><code>{html}</code></pre>\n<button type="button" class="quiet small-button" '
        f'data-copy="code-{number}" hidden>Copy</button>\n</div>\n'
    )


def _count(environment: MutableMapping[str, int], what: str) -> int:
    """Landmarks of a page have names of their own."""
    environment[what] = environment.get(what, 0) + 1
    return environment[what]


def _table_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    """In a box of its own, which scrolls by itself on a narrow screen."""
    del renderer, tokens, index, options
    label = f"Table {_count(environment, 'tables')}"
    return f'<div class="table" tabindex="0" role="region" aria-label="{label}"><table>\n'


def _table_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    del renderer, tokens, index, options, environment
    return "</table></div>\n"


def _heading_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    del renderer, options, environment
    opening, inline = tokens[index - 2], tokens[index - 1]
    label = escape(f"Link to {inline.content.replace('`', '')}")
    return f' <a class="anchor" href="#{opening.attrGet("id")}" aria-label="{label}">#</a></{opening.tag}>\n'


_markdown = MarkdownIt("js-default")
_RULES: Mapping[str, Any] = {
    "fence": _fence,
    "table_open": _table_open,
    "table_close": _table_close,
    "heading_close": _heading_close,
}
for _name, _rule in _RULES.items():
    _markdown.add_render_rule(_name, _rule)
