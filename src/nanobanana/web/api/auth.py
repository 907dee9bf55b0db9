from fastapi import APIRouter, Response

from nanobanana.web.api.schemas.accounts import (
    Credentials,
    RegisteredAccount,
    RegistrationBegun,
    Verification,
    VerifiedAccount,
)
from nanobanana.web.api.schemas.errors import BODY, SESSION, error_responses
from nanobanana.web.api.schemas.sessions import Session
from nanobanana.web.dependencies import BaseUrl, ClientAddress, JsonBody, ServicesDep, SessionToken, UserAgent

router = APIRouter(prefix="/auth", tags=["Accounts"])


@router.post(
    "/register",
    status_code=201,
    dependencies=[JsonBody],
    responses={
        202: {"model": RegistrationBegun, "description": "A mail is on its way, whatever the address"},
        **error_responses(*BODY, "email_taken", "rate_limited", "overloaded"),
    },
)
async def register(
    body: Credentials, address: ClientAddress, services: ServicesDep, base_url: BaseUrl, response: Response
) -> RegisteredAccount | RegistrationBegun:
    """A new account with a live and a test key, shown in this answer only. Where mail is set up the answer is 202,
    and account and keys come for the code in the mail."""
    await services.throttle.take("register", address=address, email=body.email)
    if services.settings.verifies_addresses:
        await services.people.registrations.begin(email=body.email, password=body.password, base_url=base_url)
        response.status_code = 202
        return RegistrationBegun()
    return RegisteredAccount.registered(
        await services.people.accounts.register(email=body.email, password=body.password, address=address)
    )


@router.post(
    "/verify-email",
    dependencies=[JsonBody],
    responses=error_responses(*BODY, "invalid_code", "invalid_token", "rate_limited", "overloaded"),
)
async def verify_email(
    body: Verification, address: ClientAddress, services: ServicesDep, user_agent: UserAgent
) -> VerifiedAccount:
    """The account of a registration, with its keys, shown in this answer only, and a session. Takes the code of
    the mail with the address, or the token of its link; five wrong codes end the code."""
    await services.throttle.take("verify_email", address=address, email=body.email)
    registrations = services.people.registrations
    if body.email and body.code:
        verified = await registrations.verify_code(
            email=body.email, code=body.code, address=address, user_agent=user_agent
        )
    else:
        verified = await registrations.verify_link(
            token=str(body.token), address=address, user_agent=user_agent
        )
    return VerifiedAccount.verified(verified)


@router.post(
    "/login",
    dependencies=[JsonBody],
    responses=error_responses(*BODY, "invalid_credentials", "rate_limited", "overloaded"),
)
async def log_in(
    body: Credentials, address: ClientAddress, services: ServicesDep, user_agent: UserAgent
) -> Session:
    """A session of 30 days that ends after 14 without use, to manage account and keys with."""
    await services.throttle.take("login", address=address, email=body.email)
    return Session.of(
        await services.people.accounts.log_in(email=body.email, password=body.password, user_agent=user_agent)
    )


@router.post("/logout", status_code=204, responses=error_responses(*SESSION, "overloaded"))
async def log_out(token: SessionToken, services: ServicesDep) -> None:
    """Ends the session at once."""
    await services.people.sessions.end_by_token(token)
