from fastapi import APIRouter, Response

from nanobanana.web.dashboard.visitors import LoggedIn
from nanobanana.web.pages import page

router = APIRouter()


@router.get("/dashboard")
async def show_overview(visitor: LoggedIn) -> Response:
    return page("dashboard/overview.html", visitor=visitor)
