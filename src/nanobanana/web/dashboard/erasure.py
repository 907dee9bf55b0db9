from fastapi import APIRouter, Response

from nanobanana.errors import NanoBananaError
from nanobanana.web.api.schemas.personal_data import Erasure
from nanobanana.web.dashboard import session_cookie
from nanobanana.web.dashboard.forms import Form, checked, problems_of
from nanobanana.web.dashboard.visitors import LoggedIn, Sender
from nanobanana.web.dependencies import ClientAddress, ServicesDep
from nanobanana.web.pages import page

router = APIRouter(prefix="/account/erase")


@router.get("")
async def show_erasure(visitor: LoggedIn) -> Response:
    return page("dashboard/erase.html", visitor=visitor, problems={})


@router.post("")
async def erase_account(
    form: Form, sender: Sender, address: ClientAddress, services: ServicesDep
) -> Response:
    try:
        body = checked(Erasure, {"current_password": form.get("current_password", "")})
        await services.throttle.take("current_password", address=address, account_id=sender.account.id)
        await services.people.personal_data.erase(sender.session, current_password=body.current_password)
    except NanoBananaError as error:
        return page("dashboard/erase.html", error=error, visitor=sender, problems=problems_of(error))
    response = page("dashboard/erased.html")
    session_cookie.remove(response, services.settings)
    return response
