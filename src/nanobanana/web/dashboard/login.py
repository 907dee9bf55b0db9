import re

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from nanobanana.domain.accounts.errors import WrongLoginError
from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.errors import OverloadedError
from nanobanana.web.api.schemas.accounts import Credentials
from nanobanana.web.dashboard import session_cookie
from nanobanana.web.dashboard.forms import Form
from nanobanana.web.dashboard.visitors import Anybody, Sender
from nanobanana.web.dependencies import ClientAddress, ServicesDep, UserAgent
from nanobanana.web.pages import page, redirect

router = APIRouter()

# A path of ours. Browsers take `//host` and `/\host` for another site's, and skip blanks and control characters.
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")


@router.get("/login")
async def show_login(visitor: Anybody, next: str = "") -> Response:
    if visitor:
        return redirect(_local(next))
    return page("login.html", form={}, next=_local(next))


@router.post("/login")
async def log_in(
    form: Form, request: Request, services: ServicesDep, address: ClientAddress, user_agent: UserAgent
) -> Response:
    """Without a session there is no form token to check. That the form stood on a page of ours is enough: nobody can
    be logged in unawares to an account that is somebody else's."""
    next = _local(form.get("next", ""))
    try:
        credentials = _credentials(form)
        await services.throttle.take("login", address=address, email=credentials.email)
        session = await services.people.accounts.log_in(
            email=credentials.email, password=credentials.password, user_agent=user_agent
        )
    except (WrongLoginError, RateLimitedError, OverloadedError) as error:
        return page("login.html", error=error, form=form, next=next)
    response = redirect(next)
    await session_cookie.put(response, session.token, request=request, services=services)
    return response


@router.post("/logout")
async def log_out(sender: Sender, services: ServicesDep) -> Response:
    await services.people.sessions.end_by_token(sender.session_token)
    response = redirect("/login")
    session_cookie.remove(response, services.settings)
    return response


def _credentials(form: Form) -> Credentials:
    """What cannot be anybody's address or password is as wrong as any other."""
    try:
        return Credentials(email=form.get("email", ""), password=form.get("password", ""))
    except ValidationError:
        raise WrongLoginError from None


def _local(path: str) -> str:
    return path if _LOCAL.fullmatch(path) else "/dashboard"
