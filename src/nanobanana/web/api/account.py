from fastapi import APIRouter

from nanobanana.web.api.schemas.accounts import AccountChange, AccountInfo
from nanobanana.web.api.schemas.errors import BODY, SESSION, error_responses
from nanobanana.web.api.schemas.sessions import SessionInfo, SessionList
from nanobanana.web.dependencies import (
    BaseUrl,
    ClientAddress,
    CurrentSession,
    Id,
    JsonBody,
    ServicesDep,
    SessionAccount,
    SessionToken,
)

router = APIRouter(prefix="/account", tags=["Accounts"])


@router.get("", responses=error_responses(*SESSION, "overloaded"))
async def get_account(account: SessionAccount) -> AccountInfo:
    """The account of this session."""
    return AccountInfo.of(account)


@router.patch(
    "",
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *SESSION, "wrong_password", "rate_limited", "overloaded"),
)
async def change_account(
    *,
    body: AccountChange,
    session: CurrentSession,
    address: ClientAddress,
    token: SessionToken,
    services: ServicesDep,
    base_url: BaseUrl,
) -> AccountInfo:
    """A new password, which ends all other sessions; a new address, which holds once the link that is mailed to it
    comes back; a cap on what images may take from the balance in a month. Takes the current password in any case."""
    await services.throttle.take("current_password", address=address, account_id=session.account_id)
    await services.people.credentials.change(
        session,
        current_password=body.current_password,
        changes=body.changes(),
        base_url=base_url,
    )
    return AccountInfo.of(await services.people.accounts.by_session(token))


@router.get("/sessions", responses=error_responses(*SESSION, "overloaded"))
async def list_sessions(session: CurrentSession, services: ServicesDep) -> SessionList:
    """Where the account is logged in, newest first."""
    found = await services.people.sessions.list_alive(account_id=session.account_id)
    return SessionList(data=[SessionInfo.of(one, current=one.id == session.id) for one in found])


@router.delete(
    "/sessions/{id}", status_code=204, responses=error_responses(*SESSION, "not_found", "overloaded")
)
async def end_session(id: Id, session: CurrentSession, services: ServicesDep) -> None:
    """Ends one session at once; it may be this one."""
    await services.people.sessions.end(id, account_id=session.account_id)
