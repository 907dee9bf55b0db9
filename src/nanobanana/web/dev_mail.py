"""The mails of a development machine without a mail server."""

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from nanobanana.errors import NotFoundError
from nanobanana.web.dependencies import Id, ServicesDep
from nanobanana.web.pages import page


async def _in_development(services: ServicesDep) -> None:
    if services.settings.environment != "development":
        raise NotFoundError("There is no such page. See /docs.")


router = APIRouter(prefix="/dev/mail", include_in_schema=False, dependencies=[Depends(_in_development)])

# The HTML part as a mail program shows it: its own styles, no script, links in a new window.
_MAIL_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def list_mails(services: ServicesDep) -> HTMLResponse:
    return page("dev_mail.html", mails=await services.people.mailbox.newest())


@router.get("/{id}")
async def show_html_part(id: Id, services: ServicesDep) -> HTMLResponse:
    html = await services.people.mailbox.html_of(id)
    if html is None:
        raise NotFoundError("There is no such mail.")
    return HTMLResponse(html, headers=_MAIL_HEADERS)
