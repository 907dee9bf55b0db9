from fastapi import APIRouter, Response

from nanobanana.web.dashboard.visitors import Anybody
from nanobanana.web.pages import page

router = APIRouter()


@router.get("/")
async def show_landing(visitor: Anybody) -> Response:
    return page("site/landing.html", visitor=visitor)
