"""Who looks at a page, as types: the signature of a route tells."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request, Response

from nanobanana.domain.accounts.types import Account
from nanobanana.domain.sessions.errors import InvalidSessionError
from nanobanana.domain.sessions.types import Session
from nanobanana.services import Services
from nanobanana.web.dashboard import session_cookie
from nanobanana.web.dashboard.forms import Form, check_form_token, form_token
from nanobanana.web.dependencies import ServicesDep
from nanobanana.web.pages import redirect


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    account: Account
    session: Session
    session_token: str = field(repr=False)
    form_token: str = field(repr=False)


class LoginNeededError(Exception):
    """Becomes the way to the login page, and from there back."""


async def _anybody(request: Request, services: ServicesDep) -> Visitor | None:
    token = session_cookie.read(request, services.settings)
    return await visitor_with(token, services) if token else None


async def visitor_with(token: str, services: Services) -> Visitor | None:
    """None when the session has ended."""
    try:
        session = await services.people.sessions.use(token)
        account = await services.people.accounts.of_session(session)
    except InvalidSessionError:
        return None
    return Visitor(
        account=account,
        session=session,
        session_token=token,
        form_token=form_token(session.id, services.settings.secret_keys[0]),
    )


Anybody = Annotated[Visitor | None, Depends(_anybody)]


async def _logged_in(visitor: Anybody) -> Visitor:
    if visitor is None:
        raise LoginNeededError
    return visitor


LoggedIn = Annotated[Visitor, Depends(_logged_in)]


async def _sender(visitor: LoggedIn, form: Form, services: ServicesDep) -> Visitor:
    check_form_token(
        form.get("form_token", ""),
        session_id=visitor.session.id,
        secrets=services.settings.secret_keys,
    )
    return visitor


# Logged in, and sends a form from a page of this very session.
Sender = Annotated[Visitor, Depends(_sender)]


async def to_login(request: Request, _: Exception) -> Response:
    """What a form would have done is not done after the login."""
    back = request.url.replace(scheme="", netloc="") if request.method == "GET" else "/dashboard"
    return redirect(f"/login?{urlencode({'next': back})}")
