"""Passwords as argon2id hashes, off the event loop and never more than two at a time."""

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from nanobanana.domain.accounts.errors import GuessablePasswordError
from nanobanana.domain.accounts.rules import is_easily_guessed

# OWASP's second profile: 17 ms on a server core and roughly 100 ms on a Raspberry Pi 4, at 19 MiB each.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)

# Verified in place of the password of an account that does not exist, so that both take equally long.
_NOBODYS_HASH = _hasher.hash("nobody's password")


class Passwords:
    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(2)

    async def hash_new(self, password: str, *, email: str) -> str:
        """The hash of a password that somebody chooses. Raises GuessablePasswordError."""
        if is_easily_guessed(password, email=email):
            raise GuessablePasswordError
        return await self.hash(password)

    async def hash(self, password: str) -> str:
        async with self._at_once:
            return await asyncio.to_thread(_hasher.hash, password)

    async def is_right(self, password: str, *, password_hash: str | None) -> bool:
        """Whether the password fits; without a hash the answer is no, after the same time."""
        async with self._at_once:
            return await asyncio.to_thread(_verify, password, password_hash)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost than new ones are."""
        return _hasher.check_needs_rehash(password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash or _NOBODYS_HASH, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None
