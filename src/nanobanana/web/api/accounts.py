from fastapi import APIRouter

from nanobanana.web.api.schemas.accounts import Credentials, RegisteredAccount, Session
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.dependencies import JsonBody, ServicesDep, SessionToken

router = APIRouter(prefix="/auth", tags=["Accounts"])


@router.post(
    "/register", status_code=201, dependencies=[JsonBody], responses=error_responses(400, 409, 413, 415, 503)
)
async def register(body: Credentials, services: ServicesDep) -> RegisteredAccount:
    """A new account with a live and a test key. The keys are shown in this answer only."""
    return RegisteredAccount.of(await services.accounts.register(email=body.email, password=body.password))


@router.post("/login", dependencies=[JsonBody], responses=error_responses(400, 401, 413, 415, 503))
async def log_in(body: Credentials, services: ServicesDep) -> Session:
    """A session of 30 days, to manage keys with."""
    return Session.of(await services.accounts.log_in(email=body.email, password=body.password))


@router.post("/logout", status_code=204, responses=error_responses(401, 503))
async def log_out(token: SessionToken, services: ServicesDep) -> None:
    """Ends the session at once."""
    await services.accounts.log_out(token)
