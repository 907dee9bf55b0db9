"""Passwords as argon2id hashes, off the event loop, never more than two at a time, and not too many in wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from nanobanana.domain.accounts.errors import GuessablePasswordError
from nanobanana.domain.accounts.rules import is_easily_guessed
from nanobanana.errors import OverloadedError

# OWASP's second profile: 17 ms on a server core and roughly 100 ms on a Raspberry Pi 4, at 19 MiB each.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)

# Verified in place of the password of an account that does not exist, so that both take equally long.
_NOBODYS_HASH = _hasher.hash("nobody's password")


# Beside the two at work. On a Raspberry Pi 4 the last of them waits for five seconds, on a server for one.
_MOST_IN_WAIT = 100


class Passwords:
    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(2)
        self._in_wait = 0

    async def hash_new(self, password: str, *, email: str) -> str:
        """The hash of a password that somebody chooses. Raises GuessablePasswordError."""
        if is_easily_guessed(password, email=email):
            raise GuessablePasswordError
        return await self.hash(password)

    async def hash(self, password: str) -> str:
        async with self._turn():
            return await asyncio.to_thread(_hasher.hash, password)

    async def is_right(self, password: str, *, password_hash: str | None) -> bool:
        """Whether the password fits; without a hash the answer is no, after the same time."""
        async with self._turn():
            return await asyncio.to_thread(_verify, password, password_hash)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost than new ones are."""
        return _hasher.check_needs_rehash(password_hash)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._in_wait >= _MOST_IN_WAIT:
            raise OverloadedError
        self._in_wait += 1
        try:
            await self._at_once.acquire()
        finally:
            self._in_wait -= 1
        try:
            yield
        finally:
            self._at_once.release()


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash or _NOBODYS_HASH, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None
