from fastapi import APIRouter, Response

from nanobanana.web.dashboard.devices import device_name
from nanobanana.web.dashboard.visitors import LoggedIn, Sender
from nanobanana.web.dependencies import Id, ServicesDep
from nanobanana.web.pages import page, redirect

router = APIRouter(prefix="/account")


@router.get("")
async def show_account(visitor: LoggedIn, services: ServicesDep) -> Response:
    sessions = await services.people.sessions.list_alive(account_id=visitor.account.id)
    return page("dashboard/account.html", visitor=visitor, sessions=sessions, device_name=device_name)


@router.post("/sessions/{id}/end")
async def end_session(id: Id, sender: Sender, services: ServicesDep) -> Response:
    await services.people.sessions.end(id, account_id=sender.account.id)
    return redirect("/account")
