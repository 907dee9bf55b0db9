"""What pages load beside their HTML. Names hold a hash of the content, so that browsers may keep it for good."""

import gzip
import hashlib
from pathlib import Path

from fastapi import APIRouter, Request, Response

from nanobanana.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webp": "image/webp",
}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    # An SVG that is opened by itself is a document: nothing in it may run.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


def _contents() -> dict[str, bytes]:
    """By name. The style sheet is joined of its parts: `base/` before `pages/`."""
    contents = {file.name: file.read_bytes() for file in _FOLDER.iterdir() if file.is_file()}
    parts = sorted(_FOLDER.glob("style/*/*.css"))
    return {**contents, "style.css": b"\n".join(part.read_bytes() for part in parts)}


def _hashed(name: str, content: bytes) -> str:
    """`style.4f1d3a9c.css`"""
    file = Path(name)
    return f"{file.stem}.{hashlib.sha256(content).hexdigest()[:8]}{file.suffix}"


_HASHED_NAMES = {name: _hashed(name, content) for name, content in _contents().items()}
_CONTENTS = {_HASHED_NAMES[name]: content for name, content in _contents().items()}
_GZIPPED = {name: gzip.compress(content, mtime=0) for name, content in _CONTENTS.items()}


def static_url(name: str) -> str:
    return f"/static/{_HASHED_NAMES[name]}"


@router.get("/static/{name}")
async def get_static_file(name: str, request: Request) -> Response:
    if name not in _CONTENTS:
        raise NotFoundError("There is no such file.")
    media_type = _MEDIA_TYPES[Path(name).suffix]
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            _GZIPPED[name], media_type=media_type, headers={**_HEADERS, "Content-Encoding": "gzip"}
        )
    return Response(_CONTENTS[name], media_type=media_type, headers=_HEADERS)
