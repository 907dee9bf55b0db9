from fastapi import APIRouter, Response

from nanobanana.errors import NanoBananaError
from nanobanana.web.api.schemas.accounts import Address
from nanobanana.web.dashboard.forms import Form, checked, problems_of
from nanobanana.web.dependencies import BaseUrl, ClientAddress, ServicesDep
from nanobanana.web.pages import page

router = APIRouter()

_SENT = "If this address has an account, a mail with a link is on its way to it. The link works for an hour."


@router.get("/forgot-password")
async def show_form(email: str = "") -> Response:
    return page("forgotten_password.html", form={"email": email}, problems={})


@router.post("/forgot-password")
async def send_link(form: Form, services: ServicesDep, address: ClientAddress, base_url: BaseUrl) -> Response:
    """As POST /v1/auth/forgot-password: the answer is the same for every address."""
    try:
        email = checked(Address, {"email": form.get("email", "")}).email
        await services.throttle.take("forgot_password", address=address, email=email)
        await services.people.credentials.forgot_password(email=email, base_url=base_url)
    except NanoBananaError as error:
        return page("forgotten_password.html", error=error, form=form, problems=problems_of(error))
    return page("forgotten_password.html", notice=_SENT, form={}, problems={})
