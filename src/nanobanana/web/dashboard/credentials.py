"""A new address and a new password, each by the current one."""

from typing import Literal

from fastapi import APIRouter, Response

from nanobanana.errors import NanoBananaError
from nanobanana.kit.addresses import IPAddress
from nanobanana.services import Services
from nanobanana.web.api.schemas.accounts import AccountChange
from nanobanana.web.dashboard.forms import Form, checked, problems_of
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import BaseUrl, ClientAddress, ServicesDep
from nanobanana.web.pages import page, redirect

router = APIRouter(prefix="/account")


@router.get("/email")
async def show_email(visitor: LoggedIn) -> Response:
    return _form_page("email", visitor)


@router.get("/password")
async def show_password(visitor: LoggedIn) -> Response:
    return _form_page("password", visitor)


@router.post("/email")
async def change_email(
    form: Form, sender: Sender, address: ClientAddress, services: ServicesDep, base_url: BaseUrl
) -> Response:
    return await _change("email", form, sender, address=address, services=services, base_url=base_url)


@router.post("/password")
async def change_password(
    form: Form, sender: Sender, address: ClientAddress, services: ServicesDep, base_url: BaseUrl
) -> Response:
    return await _change("password", form, sender, address=address, services=services, base_url=base_url)


_What = Literal["email", "password"]


async def _change(
    what: _What, form: Form, sender: Visitor, *, address: IPAddress, services: Services, base_url: str
) -> Response:
    try:
        body = checked(AccountChange, {name: form.get(name, "") for name in (what, "current_password")})
        await services.throttle.take("current_password", address=address, account_id=sender.account.id)
        await services.people.credentials.change(
            sender.session,
            current_password=body.current_password,
            changes=body.changes(),
            base_url=base_url,
        )
    except NanoBananaError as error:
        return _form_page(what, sender, form=form, error=error)
    return redirect(f"/account?done={what}")


def _form_page(
    what: _What, visitor: Visitor, *, form: Form | None = None, error: NanoBananaError | None = None
) -> Response:
    return page(
        f"dashboard/change_{what}.html",
        error=error,
        visitor=visitor,
        form=form or {},
        problems=problems_of(error),
    )
