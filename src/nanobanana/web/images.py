"""Pictures of the local store and small ones of all, by their unguessable names."""

import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from nanobanana.domain.images import headers as image_headers
from nanobanana.domain.images.names import FileName, parsed
from nanobanana.domain.images.types import MEDIA_TYPES
from nanobanana.errors import NanoBananaError, NotFoundError
from nanobanana.services import Services
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.dependencies import ServicesDep
from nanobanana.web.picture_file import PictureFile


async def _tell_errors_to_everybody(request: Request) -> None:
    """What embeds a picture may read why there is none; what is missing now may be there in a moment."""
    request.state.headers_of_errors = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


router = APIRouter(tags=["Generations"], dependencies=[Depends(_tell_errors_to_everybody)])

_HEADERS = {
    # Embedded and fetched from anywhere, but never a page: nothing in it may run.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}

# What RFC 9110 lets us understand of a Range; any other is ignored, as it wants it. Nothing
# is as large as 18 digits, and of thousands Python makes no number.
_RANGE = re.compile(r"bytes=\s*(\d{1,18})-(\d{0,18})(\s*,\s*\d{1,18}-\d{0,18})*|bytes=\s*-\d{1,18}")

# A link that ends, and a thumbnail that has just been made, or that no store holds.
_BRIEFLY_S = 60

# A file is written so soon after the order at most, and a picture kept for at least so long.
_WRITTEN_WITHIN_S = 3_600

Name = Annotated[
    str, Path(description="As its link has it", examples=["2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms.jpg"])
]
ThumbnailName = Annotated[
    str,
    Path(description="As its link has it", examples=["2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms_512.webp"]),
]


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
        302: {"description": "It has moved to a bucket, and is at `Location`"},
        304: {"description": "The caller has the picture already"},
        **error_responses("not_found", "image_expired", "image_deleted", "overloaded"),
    },
)
async def get_image(name: Name, request: Request, services: ServicesDep) -> Response:
    """The picture itself. Takes `Range` and `If-None-Match`."""
    named = _named(name)
    file = services.images.file(name)
    if file and (response := await _served(name, named, file, request, services)):
        return response
    return _elsewhere(name, await services.gallery.elsewhere(name, named))


@router.head("/thumbnails/{name:path}", include_in_schema=False)
@router.get(
    "/thumbnails/{name:path}",
    response_class=FileResponse,
    responses={
        200: {"content": {"image/webp": {}}, "description": "The small picture"},
        206: {"description": "The part that the header Range asks for"},
        302: {"description": "The store has it, at `Location`"},
        304: {"description": "The caller has it already"},
        **error_responses(
            "not_found", "image_expired", "image_deleted", "upstream_unavailable", "overloaded"
        ),
    },
)
async def get_thumbnail(name: ThumbnailName, request: Request, services: ServicesDep) -> Response:
    """The picture as WebP with 512 pixels on its longer side, made when it is first asked for."""
    named = _named(name)
    if not named.is_thumbnail:
        raise NotFoundError("There is no such image.")
    found = await services.thumbnails.get(named)
    if isinstance(found, FilePath):
        if response := await _served(name, named, found, request, services):
            return response
        await services.gallery.living(named)  # it was deleted a moment ago
        raise NotFoundError("There is no such image.")
    return _elsewhere(name, found)


def _named(name: str) -> FileName:
    if named := parsed(name):
        return named
    raise NotFoundError("There is no such image.")


async def _served(
    name: str, named: FileName, file: FilePath, request: Request, services: Services
) -> Response | None:
    """None where there is no such file. Raises the error of a picture that is gone, while its file is there still."""
    found = _stat(file)
    if found is None:
        return None
    headers = _headers(name, left_s=await _left_s(found, file, named, services))
    if _has_it_already(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    _check_range(request, size=found.st_size)
    return PictureFile(file, found, headers)


def _elsewhere(name: str, found: str | bytes) -> Response:
    if isinstance(found, str):
        return RedirectResponse(found, 302, {**_HEADERS, "Cache-Control": f"public, max-age={_BRIEFLY_S}"})
    return Response(found, headers=_headers(name, left_s=_BRIEFLY_S))


def _headers(name: str, *, left_s: float | None) -> dict[str, str]:
    return {**_HEADERS, **image_headers.of_served(name, left_s=left_s), "ETag": f'"{name}"'}


def _stat(file: FilePath) -> os.stat_result | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


async def _left_s(found: os.stat_result, file: FilePath, named: FileName, services: Services) -> float | None:
    """Until the picture's end, as the file tells it; see the store. None: for good, as what was written with its order.
    Where the end has passed the row is asked: a copy was made, or the picture stays for longer now. The file is told
    what the row says, so that it is asked once."""
    left_s = found.st_mtime - time.time()
    if left_s > 0:
        return left_s
    ordered_at = named.milliseconds / 1000
    if found.st_mtime < ordered_at + _WRITTEN_WITHIN_S:
        return None
    picture = await services.gallery.living(named)
    with suppress(OSError):
        os.utime(file, (time.time(), picture.expires_at.timestamp() if picture.expires_at else ordered_at))
    return picture.keep_s


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
