import hashlib
import hmac
import secrets


def new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def hash_code(code: str, *, registration_id: str, secret: str) -> bytes:
    """A code has a million values, so only a keyed hash keeps it from whoever reads the table."""
    return hmac.digest(secret.encode(), f"{registration_id}:{code}".encode(), hashlib.sha256)
