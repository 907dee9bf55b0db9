"""Where the links of our mails lead: pages with a button.

Mail scanners open links; only the button, which posts, uses a link up.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from nanobanana.errors import InvalidRequestError, NanoBananaError
from nanobanana.web.dependencies import ServicesDep, UserAgent
from nanobanana.web.pages import page

router = APIRouter(prefix="/v1/auth", include_in_schema=False)


@dataclass(frozen=True)
class Link:
    path: str
    title: str
    button: str
    asks_password: bool = False

    def page(self, token: str, *, problem: NanoBananaError | None = None) -> HTMLResponse:
        return page(
            "link.html",
            status_code=problem.status if problem else 200,
            title=self.title,
            button=self.button,
            asks_password=self.asks_password,
            action=f"/v1/auth/{self.path}/form",
            token=token,
            problem=problem.message if problem else None,
        )


_VERIFY = Link("verify-email", "Verify your address", "Verify and show my keys")
_RESET = Link("reset-password", "Choose a new password", "Set the password", asks_password=True)
_CONFIRM = Link("confirm-email", "Confirm your new address", "Confirm")


@router.get("/verify-email")
async def show_verification(token: str = "") -> HTMLResponse:
    return _VERIFY.page(token)


@router.get("/reset-password")
async def show_password_reset(token: str = "") -> HTMLResponse:
    return _RESET.page(token)


@router.get("/confirm-email")
async def show_confirmation(token: str = "") -> HTMLResponse:
    return _CONFIRM.page(token)


@router.post("/verify-email/form")
async def verify(request: Request, services: ServicesDep, user_agent: UserAgent) -> HTMLResponse:
    form = await _form(request)
    try:
        verified = await services.people.registrations.verify_link(token=form["token"], user_agent=user_agent)
    except NanoBananaError as error:
        return _VERIFY.page(form["token"], problem=error)
    return page(
        "verified.html",
        email=verified.new.account.email,
        live_key=verified.new.live_key.text,
        test_key=verified.new.test_key.text,
    )


@router.post("/reset-password/form")
async def reset_password(request: Request, services: ServicesDep) -> HTMLResponse:
    form = await _form(request)
    try:
        if not 10 <= len(form["password"]) <= 1024:
            raise InvalidRequestError("A password has 10 to 1,024 characters.")
        await services.people.credentials.reset_password(token=form["token"], password=form["password"])
    except NanoBananaError as error:
        return _RESET.page(form["token"], problem=error)
    return page(
        "done.html", title="Your password is changed", text="All your sessions have ended. Log in anew."
    )


@router.post("/confirm-email/form")
async def confirm_email(request: Request, services: ServicesDep) -> HTMLResponse:
    form = await _form(request)
    try:
        await services.people.credentials.confirm_email(token=form["token"])
    except NanoBananaError as error:
        return _CONFIRM.page(form["token"], problem=error)
    return page("done.html", title="Your new address is confirmed", text="Log in with it from now on.")


async def _form(request: Request) -> dict[str, str]:
    fields = parse_qs((await request.body()).decode(errors="replace"))
    return {name: fields.get(name, [""])[0] for name in ("token", "password")}
