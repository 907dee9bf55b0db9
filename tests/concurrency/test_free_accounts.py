"""However many sign up at once, on however many processes, the ceilings let exactly their number through.

Straight at the service: what the throttle in Redis would refuse before is let through, as if it were not there.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

import pytest

from nanobanana.domain.accounts.ceilings import FreeAccountCeilings
from nanobanana.domain.accounts.errors import EmailTakenError, TooManyAccountsError
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.sessions.service import Sessions
from nanobanana.kit.addresses import parse_address
from nanobanana.storage.database import Database

PER_SUBNET = 20


class Process:
    """What one web process has of its own: a pool, and the service on it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # Well within what may wait for a connection of the pool.
        self._at_once = asyncio.Semaphore(20)
        self.accounts = Accounts(
            database,
            api_keys=ApiKeys(database, secrets=["secret"]),
            sessions=Sessions(database),
            passwords=Passwords(),
            ceilings=FreeAccountCeilings(secret="secret", per_subnet_and_day=PER_SUBNET, scale=1),
        )

    async def sign_up(self, address: str, email: str) -> str:
        """Without hashing a password, which would only take time."""
        try:
            async with self._at_once, self.database.begin() as connection:
                await self.accounts.create_free(
                    connection,
                    email=email,
                    password_hash="x",
                    verified=True,
                    address=parse_address(address),
                )
        except (TooManyAccountsError, EmailTakenError) as error:
            return error.code
        return "made"


@pytest.fixture
async def processes(database_url: str) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as closing:
        databases = [Database(database_url) for _ in range(3)]
        for database in databases:
            await database.open()
            closing.push_async_callback(database.close)
        yield [Process(database) for database in databases]


async def all_at_once(processes: list[Process], sign_ups: Iterable[tuple[str, str]]) -> list[str]:
    each = zip(itertools.cycle(processes), sign_ups, strict=False)
    return await asyncio.gather(*(process.sign_up(*sign_up) for process, sign_up in each))


async def test_of_50_at_once_from_a_subnet_as_many_are_made_as_its_ceiling_says(
    processes: list[Process],
) -> None:
    outcomes = await all_at_once(processes, ((f"203.0.113.{i}", f"u{i}@example.com") for i in range(50)))

    assert Counter(outcomes) == {"made": PER_SUBNET, "rate_limited": 30}


async def test_of_50_spellings_of_a_mailbox_at_once_two_are_made(processes: list[Process]) -> None:
    outcomes = await all_at_once(processes, ((f"203.0.{i}.1", f"ada+{i}@gmail.com") for i in range(50)))

    assert Counter(outcomes) == {"made": 2, "rate_limited": 48}


async def test_a_farm_gets_what_the_ceilings_allow_neither_more_nor_less(processes: list[Process]) -> None:
    """In small what `./nb bench farm` does: 94 addresses in 12 subnets, each mailbox spelled in several ways."""
    chance = random.Random(1)
    farm = [(chance.randrange(94), chance.randrange(150), number) for number in range(400)]
    sign_ups = ((f"203.0.{place % 12}.{place}", f"f.{box}+{number}@gmail.com") for place, box, number in farm)

    outcomes = await all_at_once(processes, sign_ups)

    made = [one for one, outcome in zip(farm, outcomes, strict=True) if outcome == "made"]
    in_subnet = Counter(place % 12 for place, _, _ in made)
    of_mailbox = Counter(box for _, box, _ in made)
    assert max(in_subnet.values()) == PER_SUBNET
    assert max(of_mailbox.values()) == 2
    for place, box, number in set(farm) - set(made):
        assert in_subnet[place % 12] == PER_SUBNET or of_mailbox[box] == 2, number
    rows = await processes[0].database.statement("select count(*) from accounts", {})
    assert rows == [{"count": len(made)}]
