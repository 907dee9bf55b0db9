"""What browsers and search engines ask every site for."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, RedirectResponse

from nanobanana.web.static_files import static_url

router = APIRouter()

_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
# A visit there takes of the visitor's tries, or leads to a login.
_ROBOTS = """User-agent: *
Disallow: /try
Disallow: /v1/
Disallow: /images/
Disallow: /thumbnails/
"""


@router.get("/robots.txt")
async def get_robots() -> PlainTextResponse:
    return PlainTextResponse(_ROBOTS, headers=_FOR_A_DAY)


@router.get("/favicon.ico")
async def get_favicon() -> RedirectResponse:
    return RedirectResponse(static_url("banana.svg"), 302, _FOR_A_DAY)
