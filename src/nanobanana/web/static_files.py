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


def _hashed_name(file: Path) -> str:
    """`style.4f1d3a9c.css`"""
    return f"{file.stem}.{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}{file.suffix}"


_HASHED_NAMES = {file.name: _hashed_name(file) for file in (Path(__file__).parent / "static").iterdir()}
_FILES = {hashed: Path(__file__).parent / "static" / name for name, hashed in _HASHED_NAMES.items()}


def static_url(name: str) -> str:
    return f"/static/{_HASHED_NAMES[name]}"


@router.get("/static/{name}")
async def get_static_file(name: str) -> Response:
    file = _FILES.get(name)
    if file is None:
        raise NotFoundError("There is no such file.")
    return Response(file.read_bytes(), media_type=_MEDIA_TYPES[file.suffix], headers=_HEADERS)
