"""From an address to an account: at once or, with mail set up, by the code of a mail.

Then every address is answered alike; what the answers say of an address is the mail's.
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator

from nanobanana.errors import NanoBananaError
from nanobanana.web.api.schemas.accounts import Address, Credentials, Verification
from nanobanana.web.dashboard.forms import Form, checked, problems_of
from nanobanana.web.dashboard.visitors import Anybody
from nanobanana.web.dashboard.welcome import welcome
from nanobanana.web.dependencies import BaseUrl, ClientAddress, ServicesDep, UserAgent
from nanobanana.web.pages import page, redirect

router = APIRouter()

_SENT_AGAIN = "If this address waits for its code, a new one is on its way. Only the newest works."


def _accepted(value: str) -> str:
    if value != "yes":
        raise ValueError("Accounts are for people of 18 and older who accept the terms.")
    return value


class _Newcomer(Credentials):
    terms: Annotated[str, AfterValidator(_accepted)]


@router.get("/register")
async def show_registration(visitor: Anybody) -> Response:
    if visitor:
        return redirect("/dashboard")
    return page("register.html", form={}, problems={})


@router.post("/register")
async def register(
    *,
    form: Form,
    request: Request,
    services: ServicesDep,
    address: ClientAddress,
    user_agent: UserAgent,
    base_url: BaseUrl,
) -> Response:
    """As POST /v1/auth/register, with a session where the account is there at once."""
    try:
        newcomer = checked(_Newcomer, {"terms": "", **_named(form, "email", "password", "terms")})
        await services.throttle.take("register", address=address, email=newcomer.email)
        registrations = services.people.registrations
        if services.settings.verifies_addresses:
            await registrations.begin(email=newcomer.email, password=newcomer.password, base_url=base_url)
            return _code_page(newcomer.email)
        registered = await registrations.complete_at_once(
            email=newcomer.email, password=newcomer.password, address=address, user_agent=user_agent
        )
    except NanoBananaError as error:
        return page("register.html", error=error, form=form, problems=problems_of(error))
    return await welcome(registered, request=request, services=services, base_url=base_url)


@router.post("/register/again")
async def send_again(
    form: Form, services: ServicesDep, address: ClientAddress, base_url: BaseUrl
) -> Response:
    """Another mail is throttled as though somebody had begun anew."""
    try:
        email = checked(Address, _named(form, "email")).email
        await services.throttle.take("register", address=address, email=email)
        await services.people.registrations.send_again(email=email, base_url=base_url)
    except NanoBananaError as error:
        return _code_page(form.get("email", ""), error=error)
    return _code_page(email, notice=_SENT_AGAIN)


@router.post("/register/code")
async def verify_code(
    *,
    form: Form,
    request: Request,
    services: ServicesDep,
    address: ClientAddress,
    user_agent: UserAgent,
    base_url: BaseUrl,
) -> Response:
    """As POST /v1/auth/verify-email with a code, blanks in it left out."""
    try:
        code = "".join(form.get("code", "").split())
        proof = checked(Verification, {**_named(form, "email"), "code": code})
        await services.throttle.take("verify_email", address=address, email=proof.email)
        verified = await services.people.registrations.verify_code(
            email=str(proof.email), code=code, address=address, user_agent=user_agent
        )
    except NanoBananaError as error:
        return _code_page(form.get("email", ""), error=error)
    return await welcome(verified, request=request, services=services, base_url=base_url)


def _code_page(email: str, *, error: NanoBananaError | None = None, notice: str | None = None) -> Response:
    return page("register_code.html", email=email, error=error, notice=notice, problems=problems_of(error))


def _named(form: Form, *names: str) -> dict[str, object]:
    return {name: form[name] for name in names if name in form}
