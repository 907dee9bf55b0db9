"""Where the links of our mails lead: pages with a button.

Mail scanners open links; only the button, which posts, uses a link up.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from nanobanana.errors import InvalidRequestError, NanoBananaError
from nanobanana.web.dashboard.forms import Form
from nanobanana.web.dashboard.welcome import welcome
from nanobanana.web.dependencies import BaseUrl, ClientAddress, ServicesDep, UserAgent
from nanobanana.web.pages import page

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    path: str
    title: str
    text: str
    button: str
    asks_password: bool = False

    def page(self, token: str, *, error: NanoBananaError | None = None) -> Response:
        return page("link.html", error=error, link=self, token=token)


_VERIFY = Link(
    path="/verify-email",
    title="Verify your address",
    text="Your keys come next, and are shown that once.",
    button="Verify and show my keys",
)
_RESET = Link(
    path="/reset-password",
    title="Choose a new password",
    text="All your sessions will end.",
    button="Set the password",
    asks_password=True,
)
_CONFIRM = Link(
    path="/confirm-email",
    title="Confirm your new address",
    text="You will log in with it from then on.",
    button="Confirm",
)


@router.get(_VERIFY.path)
async def show_verification(token: str = "") -> Response:
    return _VERIFY.page(token)


@router.get(_RESET.path)
async def show_password_reset(token: str = "") -> Response:
    return _RESET.page(token)


@router.get(_CONFIRM.path)
async def show_confirmation(token: str = "") -> Response:
    return _CONFIRM.page(token)


@router.post(_VERIFY.path)
async def verify(
    *,
    form: Form,
    request: Request,
    services: ServicesDep,
    address: ClientAddress,
    user_agent: UserAgent,
    base_url: BaseUrl,
) -> Response:
    token = form.get("token", "")
    try:
        await services.throttle.take("verify_email", address=address)
        verified = await services.people.registrations.verify_link(
            token=token, address=address, user_agent=user_agent
        )
    except NanoBananaError as error:
        return _VERIFY.page(token, error=error)
    return await welcome(verified, request=request, services=services, base_url=base_url)


@router.post(_RESET.path)
async def reset_password(form: Form, address: ClientAddress, services: ServicesDep) -> Response:
    token, password = form.get("token", ""), form.get("password", "")
    try:
        if not 10 <= len(password) <= 1024:
            raise InvalidRequestError("A password has 10 to 1,024 characters.")
        await services.throttle.take("reset_password", address=address)
        await services.people.credentials.reset_password(token=token, password=password)
    except NanoBananaError as error:
        return _RESET.page(token, error=error)
    return page("done.html", title="Your password is changed", text="All your sessions have ended.")


@router.post(_CONFIRM.path)
async def confirm_email(form: Form, address: ClientAddress, services: ServicesDep) -> Response:
    token = form.get("token", "")
    try:
        await services.throttle.take("reset_password", address=address)
        await services.people.credentials.confirm_email(token=token)
    except NanoBananaError as error:
        return _CONFIRM.page(token, error=error)
    return page("done.html", title="Your new address is confirmed", text="Log in with it from now on.")
