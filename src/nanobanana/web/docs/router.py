"""The documentation: pages, their Markdown, and what is made of it for machines."""

import asyncio

from fastapi import APIRouter, FastAPI, Request, Response

from nanobanana.errors import NotFoundError
from nanobanana.web.dependencies import BaseUrl
from nanobanana.web.docs.answers import Answer, Documentation
from nanobanana.web.docs.contents import HOME, REFERENCE
from nanobanana.web.pages import HEADERS, redirect

router = APIRouter(include_in_schema=False)

# They depend on nobody, and a change of ours is seen after minutes.
_HEADERS = {**HEADERS, "Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"}


def install(app: FastAPI) -> None:
    app.state.documentation = Documentation(app.state.settings, document=app.openapi)
    app.include_router(router)


@router.get("/docs")
async def show_home(request: Request, base_url: BaseUrl) -> Response:
    return await _answered(HOME.slug, request, base_url)


@router.get("/docs/{name:path}")
async def show_page(name: str, request: Request, base_url: BaseUrl) -> Response:
    if name in {"", HOME.slug}:
        return redirect(HOME.path)
    if name == "reference":
        return redirect(REFERENCE.path)
    return await _answered(name, request, base_url)


@router.get("/llms.txt")
async def show_overview(request: Request, base_url: BaseUrl) -> Response:
    return await _answered("llms.txt", request, base_url)


@router.get("/llms-full.txt")
async def show_everything(request: Request, base_url: BaseUrl) -> Response:
    return await _answered("llms-full.txt", request, base_url)


async def _answered(name: str, request: Request, base_url: str) -> Response:
    documentation: Documentation = request.app.state.documentation
    # To make a page the first time takes up to a tenth of a second.
    answer = await asyncio.to_thread(documentation.answer, name, base_url)
    if answer is None:
        raise NotFoundError("There is no page at this address.")
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    headers = {**_HEADERS, "ETag": _etag(answer, zipped=zipped)}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    body = answer.zipped if zipped else answer.body
    return Response(body, headers=headers, media_type=answer.media_type)


def _etag(answer: Answer, *, zipped: bool) -> str:
    return f'"{answer.etag}{"-gzip" if zipped else ""}"'
