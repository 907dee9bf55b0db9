"""Secrets that are handed out once and stored as hashes."""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """256 random bits need no slow hash and no key."""
    return hashlib.sha256(token.encode()).digest()
