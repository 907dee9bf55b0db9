import asyncio

import pytest

from nanobanana.domain.accounts import passwords
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.errors import OverloadedError


async def test_two_are_at_work_one_hundred_may_wait_and_the_next_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = asyncio.Event()

    async def at_work(*_: object) -> bool:
        await go_on.wait()
        return True

    monkeypatch.setattr(passwords.asyncio, "to_thread", at_work)
    subject = Passwords()
    waiting = [asyncio.create_task(subject.is_right("a password", password_hash=None)) for _ in range(102)]
    await asyncio.sleep(0)

    with pytest.raises(OverloadedError) as refused:
        await subject.is_right("a password", password_hash=None)
    go_on.set()

    assert refused.value.headers["Retry-After"]
    assert all(await asyncio.gather(*waiting))
    assert await subject.is_right("a password", password_hash=None)
