"""Pages of HTML: one layout, one style sheet, scripts of ours alone, and nothing from elsewhere."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.types import Scope

from nanobanana.errors import NanoBananaError
from nanobanana.web.static_files import static_url

# What the addresses of pages begin with: whatever goes wrong there is told by a page.
_SECTIONS = frozenset(
    {
        *("", "try", "status", "docs", "dev"),
        *(
            "register",
            "login",
            "logout",
            "verify-email",
            "forgot-password",
            "reset-password",
            "confirm-email",
            "welcome",
        ),
        *("dashboard", "keys", "gallery", "playground", "billing", "webhooks", "account"),
    }
)
# Programs alone call these; anywhere else a browser is somebody who followed a link.
_OF_PROGRAMS = frozenset({"v1", "healthz", "readyz", "metrics", "openapi.json", "static"})

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:{images}; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY.format(images=""),
    # The address of a page from a mail holds its token. `no-referrer` would hide it from ourselves as well, but then
    # browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Pages hold addresses, form tokens, sometimes keys.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def wants_page(scope: Scope) -> bool:
    """Whether an error is to be told by a page, and not by JSON."""
    section = scope["path"].removeprefix("/").partition("/")[0]
    if section in _SECTIONS:
        return True
    return section not in _OF_PROGRAMS and "text/html" in Headers(scope=scope).get("accept", "")


def page(
    template: str, *, error: NanoBananaError | None = None, images_from: str | None = None, **values: object
) -> HTMLResponse:
    """With an error, the page begins with its message and is answered with its status and headers. `images_from`: the
    origin of a bucket whose pictures it shows. A template without a layout gives a part of a page."""
    html = render(template, error=error, **values)
    headers = {**HEADERS, **(error.headers if error else {})}
    if images_from:
        headers["Content-Security-Policy"] = _POLICY.format(images=f" {images_from}")
    return HTMLResponse(html, status_code=error.status if error else 200, headers=headers)


def render(template: str, **values: object) -> str:
    return _templates.get_template(template).render(**values)


def redirect(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, headers=dict(HEADERS))


def _moment(moment: datetime) -> str:
    """UTC, as `3 Aug 2026, 14:05`"""
    in_utc = moment.astimezone(UTC)
    return f"{in_utc.day} {in_utc:%b %Y, %H:%M}"


def thousands(number: int) -> str:
    """`12,345`"""
    return f"{number:,}"


def usd(micro_usd: int) -> str:
    """`$0.02`, `$1,234.50`; what is finer than a cent, as far as it goes: `$0.0336`"""
    cents, rest = divmod(abs(micro_usd), 10_000)
    finer = f"{rest:04}".rstrip("0") if rest else ""
    return f"{'-' if micro_usd < 0 else ''}${cents // 100:,}.{cents % 100:02}{finer}"


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(moment=_moment, thousands=thousands, usd=usd)
_templates.globals["static_url"] = static_url
# Pages for somebody logged in name their visitor; a page that begins with an error, or with what was done, names that.
_templates.globals.update(visitor=None, error=None, notice=None)
