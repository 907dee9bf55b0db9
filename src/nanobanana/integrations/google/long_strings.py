"""JSON parsed without its long strings, which stay where they are in the body.

A picture is a base64 string of 2 MB, the thought signature beside it another 1 to 2 MB. Parsing them into Python
strings took a fifth of an image's CPU time, and as much memory again as the body itself.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

# Longer than any prose of Google's, shorter than any picture of ours. A shorter string is parsed like any other.
LONG = 64 * 1024

# In front of a placeholder, so that no string of Google's can be taken for one.
_TOKEN = secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Answer:
    """`document` has placeholders where the long strings were; `long_strings` has their bytes, by placeholder."""

    document: object
    long_strings: Mapping[str, memoryview]


def parse(body: bytes) -> Answer:
    """Raises orjson.JSONDecodeError. What is inside a long string is not checked."""
    pieces: list[bytes | memoryview] = []
    long_strings: dict[str, memoryview] = {}
    view = memoryview(body)
    copied = 0
    opening = body.find(b'"')
    while opening >= 0:
        closing = _closing_quote(body, opening)
        # One with escapes would have to be decoded: left to the parser.
        if closing - opening - 1 > LONG and body.find(b"\\", opening, closing) < 0:
            placeholder = f"{_TOKEN} {len(long_strings)}"
            pieces += (view[copied : opening + 1], placeholder.encode())
            long_strings[placeholder] = view[opening + 1 : closing]
            copied = closing
        opening = body.find(b'"', closing + 1)
    pieces.append(view[copied:])
    return Answer(orjson.loads(b"".join(pieces)), long_strings)


def _closing_quote(body: bytes, opening: int) -> int:
    """Where the string ends that begins at `opening`; the end of the body when it does not."""
    closing = body.find(b'"', opening + 1)
    while closing >= 0 and _is_escaped(body, closing):
        closing = body.find(b'"', closing + 1)
    return closing if closing >= 0 else len(body)


def _is_escaped(body: bytes, quote: int) -> bool:
    backslashes = 0
    while body[quote - 1 - backslashes] == ord("\\"):
        backslashes += 1
    return backslashes % 2 == 1
