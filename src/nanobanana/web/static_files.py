"""What pages load beside their HTML. Names hold a hash of the content, so that browsers may keep it for good."""

import hashlib
from pathlib import Path

from fastapi import APIRouter, Response

from nanobanana.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    # An SVG that is opened by itself is a document: nothing in it may run.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


_FOLDER = Path(__file__).parent / "static"


def _hashed_name(file: Path) -> str:
    """`style.4f1d3a9c.css`"""
    return f"{file.stem}.{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}{file.suffix}"


_HASHED_NAMES = {file.name: _hashed_name(file) for file in _FOLDER.iterdir()}
_CONTENTS = {_hashed_name(file): file.read_bytes() for file in _FOLDER.iterdir()}


def static_url(name: str) -> str:
    return f"/static/{_HASHED_NAMES[name]}"


@router.get("/static/{name}")
async def get_static_file(name: str) -> Response:
    if name not in _CONTENTS:
        raise NotFoundError("There is no such file.")
    media_type = _MEDIA_TYPES[Path(name).suffix]
    return Response(_CONTENTS[name], media_type=media_type, headers=_HEADERS)
