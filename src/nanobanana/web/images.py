"""Pictures of the local store and small ones of all, by their unguessable names."""

import re
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from nanobanana.domain.images.names import FileName, parsed
from nanobanana.domain.images.types import MEDIA_TYPES
from nanobanana.errors import NanoBananaError, NotFoundError
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.dependencies import ServicesDep

router = APIRouter(tags=["Generations"])

_HEADERS = {
    # A name never gets another picture.
    "Cache-Control": "public, max-age=31536000, immutable",
    # Embedded and fetched from anywhere, but never a page: nothing in it may run.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}

# What RFC 9110 lets us understand of a Range; any other is ignored, as it wants it.
_RANGE = re.compile(r"bytes=\s*(\d+)-(\d*)(\s*,\s*\d+-\d*)*|bytes=\s*-\d+")

# As the links it leads to last at the least, with some room.
_LINK_CACHED = "public, max-age=60"

Name = Annotated[str, Path(examples=["2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms.jpg"])]
ThumbnailName = Annotated[str, Path(examples=["2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms_512.webp"])]


class RangeNotSatisfiableError(NanoBananaError):
    status = 416
    code = "range_not_satisfiable"
    type = "invalid_request_error"


@router.head("/images/{name:path}", include_in_schema=False)
@router.get(
    "/images/{name:path}",
    response_class=FileResponse,
    responses={
        200: {
            "content": {media_type: {} for media_type in MEDIA_TYPES.values()},
            "description": "The picture",
        },
        206: {"description": "The part that the header Range asks for"},
        304: {"description": "The caller has the picture already"},
        **error_responses(404, 410, 503),
    },
)
async def get_image(name: Name, request: Request, services: ServicesDep) -> Response:
    """The picture itself. Takes `Range` and `If-None-Match`."""
    named = _named(name)
    file = services.images.file(name)
    if file is None:
        await services.gallery.raise_missing(named)
    return _served(name, file, request)


@router.head("/thumbnails/{name:path}", include_in_schema=False)
@router.get(
    "/thumbnails/{name:path}",
    response_class=FileResponse,
    responses={
        200: {"content": {"image/webp": {}}, "description": "The small picture"},
        206: {"description": "The part that the header Range asks for"},
        302: {"description": "The store has it, at `Location`"},
        304: {"description": "The caller has it already"},
        **error_responses(404, 410, 503),
    },
)
async def get_thumbnail(name: ThumbnailName, request: Request, services: ServicesDep) -> Response:
    """The picture as WebP with 512 pixels on its longer side, made when it is first asked for."""
    named = _named(name)
    if not named.is_thumbnail:
        raise NotFoundError("There is no such image.")
    found = await services.thumbnails.get(named)
    if isinstance(found, str):
        return RedirectResponse(found, 302, {**_HEADERS, "Cache-Control": _LINK_CACHED})
    return _served(name, found, request)


def _named(name: str) -> FileName:
    named = parsed(name)
    if named is None:
        raise NotFoundError("There is no such image.")
    return named


def _served(name: str, found: FilePath | bytes, request: Request) -> Response:
    headers = {**_HEADERS, "ETag": f'"{name}"'}
    if _has_it_already(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    media_type = MEDIA_TYPES[name.rpartition(".")[2]]
    if isinstance(found, bytes):
        return Response(found, media_type=media_type, headers=headers)
    _check_range(request, size=found.stat().st_size)
    return FileResponse(found, media_type=media_type, headers=headers)


def _has_it_already(if_none_match: str, etag: str) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in known or "*" in known


def _check_range(request: Request, *, size: int) -> None:
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    first, last = (wanted[1], wanted[2]) if wanted else (None, None)
    if wanted is None or (first and last and int(first) > int(last)):
        request.scope["headers"] = [item for item in request.scope["headers"] if item[0] != b"range"]
    elif first and int(first) >= size:
        headers = {**_HEADERS, "Content-Range": f"bytes */{size}"}
        raise RangeNotSatisfiableError(f"The picture has {size} bytes.", headers=headers)
