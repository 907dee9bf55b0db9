"""The session of a browser: the token that the API takes as bearer, in a cookie that only pages read."""

from fastapi import Request, Response

from nanobanana.domain.sessions.service import LIFETIME
from nanobanana.services import Services
from nanobanana.settings import Settings


def read(request: Request, settings: Settings) -> str | None:
    return request.cookies.get(_name(settings))


async def put(response: Response, token: str, *, request: Request, services: Services) -> None:
    """Ends the session that the browser had before, whoever's it was."""
    if before := read(request, services.settings):
        await services.people.sessions.end_by_token(before)
    _set(response, token, max_age_s=int(LIFETIME.total_seconds()), settings=services.settings)


def remove(response: Response, settings: Settings) -> None:
    _set(response, "", max_age_s=0, settings=settings)


def _set(response: Response, value: str, *, max_age_s: int, settings: Settings) -> None:
    response.set_cookie(
        _name(settings),
        value,
        max_age=max_age_s,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def _name(settings: Settings) -> str:
    """With `__Host-` browsers let no sibling domain write it; they take such names over https only, which a Pi in
    the local network does not have."""
    return "__Host-nb_session" if settings.is_https else "nb_session"
