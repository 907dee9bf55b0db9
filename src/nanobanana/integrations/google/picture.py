"""The picture inside an answer."""

import pybase64

from nanobanana.integrations.google.errors import BrokenAnswerError


def decode(encoded: str | memoryview) -> tuple[bytes, str]:
    """Return the file and its mime type, told from its first bytes: what Google claims may be wrong."""
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except ValueError:
        data = b""
    mime_type = _sniff(data)
    if mime_type is None:
        raise BrokenAnswerError("Google sent something that is no picture.", http_status=200)
    return data, mime_type


def _sniff(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None
