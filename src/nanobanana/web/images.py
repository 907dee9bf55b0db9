"""Pictures of the local store, by their unguessable names."""

import os
import re
import stat
import time
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from nanobanana.domain.images import headers as image_headers
from nanobanana.domain.images.names import parsed
from nanobanana.domain.images.types import MEDIA_TYPES
from nanobanana.errors import NanoBananaError, NotFoundError
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.dependencies import ServicesDep

router = APIRouter(tags=["Generations"])

_HEADERS = {
    # Embedded and fetched from anywhere, but never a page: nothing in it may run.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}

# What RFC 9110 lets us understand of a Range; any other is ignored, as it wants it.
_RANGE = re.compile(r"bytes=\s*(\d+)-(\d*)(\s*,\s*\d+-\d*)*|bytes=\s*-\d+")

Name = Annotated[str, Path(examples=["2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms.jpg"])]


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
        **error_responses(404),
    },
)
async def get_image(name: Name, request: Request, services: ServicesDep) -> Response:
    """The picture itself. Takes `Range` and `If-None-Match`."""
    file = services.images.file(name) if parsed(name) else None
    found = _stat(file) if file else None
    if file is None or found is None:
        raise NotFoundError("There is no such image.")
    headers = {**_HEADERS, **image_headers.of_served(name, left_s=_left_s(found)), "ETag": f'"{name}"'}
    if _has_it_already(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    _check_range(request, size=found.st_size)
    return FileResponse(file, stat_result=found, headers=headers)


def _stat(file: FilePath) -> os.stat_result | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _left_s(found: os.stat_result) -> float | None:
    """Until the picture's end, where the file tells it; see the store."""
    left_s = found.st_mtime - time.time()
    return left_s if left_s > 0 else None


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
