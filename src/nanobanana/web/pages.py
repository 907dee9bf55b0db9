"""Pages of HTML: one layout, one style sheet, no script, and nothing from elsewhere."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nanobanana.errors import NanoBananaError
from nanobanana.web.static_files import static_url

# What the addresses of pages begin with: whatever goes wrong there is told by a page, everywhere else by JSON.
_SECTIONS = frozenset(
    {"login", "logout", "account", "verify-email", "reset-password", "confirm-email", "status", "dev"}
)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    # The address of a page from a mail holds its token. `no-referrer` would hide it from ourselves as well, but then
    # browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Pages hold addresses, form tokens, sometimes keys.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def is_page(path: str) -> bool:
    return path.removeprefix("/").partition("/")[0] in _SECTIONS


def page(template: str, *, error: NanoBananaError | None = None, **values: object) -> HTMLResponse:
    """With an error, the page begins with its message and is answered with its status and headers."""
    html = _templates.get_template(template).render(error=error, **values)
    if error is None:
        return HTMLResponse(html, headers=_HEADERS)
    return HTMLResponse(html, status_code=error.status, headers={**_HEADERS, **error.headers})


def redirect(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, headers=_HEADERS)


def _moment(moment: datetime) -> str:
    """UTC, as `3 Aug 2026, 14:05`"""
    in_utc = moment.astimezone(UTC)
    return f"{in_utc.day} {in_utc:%b %Y, %H:%M}"


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["moment"] = _moment
_templates.globals["static_url"] = static_url
# Pages for somebody logged in name their visitor.
_templates.globals["visitor"] = None
