"""Pictures of the local store, by their unguessable names."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from nanobanana.domain.images.types import MEDIA_TYPES
from nanobanana.errors import NotFoundError
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

Name = Annotated[
    str, Path(pattern=r"^[0-9A-Za-z]{22}\.(png|jpg|webp)$", examples=["0351xffvmzhinA5Ot7fOms.jpg"])
]


@router.head("/images/{name}", include_in_schema=False)
@router.get(
    "/images/{name}",
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
    file = services.images.file(name)
    if file is None:
        raise NotFoundError("There is no such image.")
    headers = {**_HEADERS, "ETag": f'"{name}"'}
    if request.headers.get("if-none-match") in {headers["ETag"], "*"}:
        return Response(status_code=304, headers=headers)
    return FileResponse(file, media_type=MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)
