"""Secrets of endpoints at rest. They cannot be hashed: deliveries are signed with them."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SecretBox:
    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: the first encrypts, all of them decrypt."""
        self._box = MultiFernet([Fernet(_derived(key)) for key in keys])

    def encrypt(self, secret: bytes) -> bytes:
        return self._box.encrypt(secret)

    def decrypt(self, stored: bytes) -> bytes:
        return self._box.decrypt(stored)


def _derived(key: str) -> bytes:
    """For this use alone: what is learnt of one key made of SECRET_KEY tells nothing of the others."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"nanobanana webhook secrets")
    return base64.urlsafe_b64encode(derived.derive(key.encode()))
