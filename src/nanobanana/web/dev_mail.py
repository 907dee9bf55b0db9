"""The mails of a development machine without a mail server, and how each mail looks."""

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from nanobanana.domain.notifications.samples import samples, template_names
from nanobanana.errors import NotFoundError
from nanobanana.integrations.email.types import Mail
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
    return page("dev/mails.html", mails=await services.people.mailbox.newest())


@router.get("/templates")
async def list_templates() -> HTMLResponse:
    subjects = {name: [mail.subject for mail in await samples(name)] for name in template_names()}
    return page("dev/mail_templates.html", subjects=subjects)


@router.get("/templates/{name}")
async def show_template(name: str) -> HTMLResponse:
    return page("dev/mail_template.html", name=name, mails=await _samples(name))


@router.get("/templates/{name}/{number}")
async def show_html_part_of_template(name: str, number: int) -> HTMLResponse:
    mails = await _samples(name)
    if not 0 < number <= len(mails):
        raise NotFoundError("There is no such mail.")
    return HTMLResponse(mails[number - 1].html, headers=_MAIL_HEADERS)


@router.get("/{id}")
async def show_html_part(id: Id, services: ServicesDep) -> HTMLResponse:
    html = await services.people.mailbox.html_of(id)
    if html is None:
        raise NotFoundError("There is no such mail.")
    return HTMLResponse(html, headers=_MAIL_HEADERS)


async def _samples(name: str) -> list[Mail]:
    mails = await samples(name)
    if not mails:
        raise NotFoundError("There is no such template.")
    return mails
