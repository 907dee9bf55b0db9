"""Ids that sort by the moment they were made and cannot be guessed."""

import secrets
import time

from nanobanana.kit import base62


def new_id(prefix: str) -> str:
    """`gen_` + 22 base62 characters: 48 bits of milliseconds, then 80 random bits."""
    moment = time.time_ns() // 1_000_000
    return f"{prefix}_{base62.encode(moment << 80 | secrets.randbits(80), 22)}"
