"""What a new account sees first: its keys, shown this once, and the picture of its first call as soon as it is made."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from nanobanana.domain.generation.types import Filters
from nanobanana.domain.registration.types import Verified
from nanobanana.services import Services
from nanobanana.web.dashboard import session_cookie
from nanobanana.web.dashboard.pictures import picture_of
from nanobanana.web.dashboard.visitors import LoggedIn, visitor_with
from nanobanana.web.dependencies import ServicesDep
from nanobanana.web.pages import HEADERS, page, redirect
from nanobanana.web.request_code import request_code

router = APIRouter()

_WATCHED = timedelta(minutes=10)
_PROMPT = "A cute banana wearing sunglasses"


async def welcome(verified: Verified, *, request: Request, services: Services, base_url: str) -> Response:
    """The answer to what made the account; the browser is logged in with it."""
    new, token = verified.new, verified.session.token
    response = page(
        "dashboard/welcome.html",
        images_from=services.images.links_lead_to,
        visitor=await visitor_with(token, services),
        new=new,
        languages_of_call=request_code(base_url, key=new.live_key.text, order={"prompt": _PROMPT}),
        picture=None,
        watched=True,
    )
    await session_cookie.put(response, token, request=request, services=services)
    return response


@router.get("/welcome")
async def leave() -> Response:
    """Nobody sees the keys twice."""
    return redirect("/dashboard")


@router.get("/welcome/first-image")
async def show_first_image(visitor: LoggedIn, request: Request, services: ServicesDep) -> Response:
    """What the page asks for every two seconds: nothing new, or the part of it that shows the newest image. Without a
    script that is the dashboard's."""
    if "hx-request" not in request.headers:
        return redirect("/dashboard")
    made, _ = await services.generations.page(
        account_id=visitor.account.id, before=None, limit=1, filters=Filters()
    )
    watched = datetime.now(UTC) < visitor.account.created_at + _WATCHED
    if not made and watched:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=dict(HEADERS))
    picture = picture_of(made[0], services.images) if made else None
    is_there = picture is not None and picture.thumbnail is not None
    return page("dashboard/first_image.html", picture=picture, watched=watched and not is_there)
