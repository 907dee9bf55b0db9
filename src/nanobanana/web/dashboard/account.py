from fastapi import APIRouter, Response

from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.errors import NanoBananaError
from nanobanana.web.api.personal_data import download
from nanobanana.web.dashboard.devices import device_name
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import BaseUrl, ClientAddress, Id, ServicesDep
from nanobanana.web.pages import page, redirect

router = APIRouter(prefix="/account")

# Programs that log in each time they run leave thousands.
_SESSIONS = 50

_DONE = {
    "email": "A link is on its way to the new address. Open it within 24 hours: until then you log in with the present one.",
    "password": "Your password is changed. All other sessions have ended.",
}


@router.get("")
async def show_account(visitor: LoggedIn, services: ServicesDep, done: str = "") -> Response:
    return await _account_page(visitor, services, notice=_DONE.get(done))


@router.post("/sessions/{id}/end")
async def end_session(id: Id, sender: Sender, services: ServicesDep) -> Response:
    await services.people.sessions.end(id, account_id=sender.account.id)
    return redirect("/account")


@router.post("/export")
async def export_account(
    sender: Sender, address: ClientAddress, services: ServicesDep, base_url: BaseUrl
) -> Response:
    try:
        await services.throttle.take("export", address=address, account_id=sender.account.id)
    except RateLimitedError as error:
        return await _account_page(sender, services, error=error)
    return await download(sender.session, services, base_url)


async def _account_page(
    visitor: Visitor,
    services: ServicesDep,
    *,
    notice: str | None = None,
    error: NanoBananaError | None = None,
) -> Response:
    """This session first, then the newest."""
    sessions = await services.people.sessions.list_alive(account_id=visitor.account.id)
    sessions.sort(key=lambda session: session.id != visitor.session.id)
    return page(
        "dashboard/account.html",
        error=error,
        notice=notice,
        visitor=visitor,
        sessions=sessions[:_SESSIONS],
        further_sessions=len(sessions[_SESSIONS:]),
        device_name=device_name,
    )
