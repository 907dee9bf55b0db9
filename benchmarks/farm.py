"""A farm of free accounts: 1,700 sign-ups from 94 addresses in 12 subnets, and how many accounts come of them.

./nb bench farm [--sign-ups 1700] [--addresses 94] [--subnets 12] [--ceiling 20] [--workers 2]

First over HTTP, through a trusted proxy on this machine, with the throttle in front: the farm waits out every
`Retry-After` of up to a minute. Then once more from other subnets and straight at the service, from three pools of
connections at once, as if the throttle let everything through: only the ceilings are left. Two minutes each.
"""

import argparse
import asyncio
import itertools
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
from harness import Service, machine, running_sandbox, running_service
from rich.console import Console

from nanobanana.domain.accounts.ceilings import FreeAccountCeilings
from nanobanana.domain.accounts.passwords import Passwords
from nanobanana.domain.accounts.service import Accounts
from nanobanana.domain.api_keys.service import ApiKeys
from nanobanana.domain.sessions.service import Sessions
from nanobanana.errors import NanoBananaError
from nanobanana.kit.addresses import parse_address
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.embedded.servers import running_servers

PASSWORD = "correct horse battery"
PROCESSES = 3
# Of each pool: what waits longer than 10 s for a connection is refused for another reason than the ceilings.
AT_ONCE = 20


@dataclass(frozen=True)
class SignUp:
    subnet: str
    address: str
    email: str


Try = Callable[[SignUp], Awaitable[str]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sign-ups", type=int, default=1700)
    parser.add_argument("--addresses", type=int, default=94)
    parser.add_argument("--subnets", type=int, default=12)
    parser.add_argument("--ceiling", type=int, default=20, help="FREE_ACCOUNTS_PER_SUBNET_PER_DAY")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.environ["TRUSTED_PROXIES"] = "127.0.0.1"
    os.environ["FREE_ACCOUNTS_PER_SUBNET_PER_DAY"] = str(options.ceiling)
    console = Console(soft_wrap=True)
    with running_sandbox() as google, running_service(google=google, workers=options.workers) as service:
        console.print(f"{machine()}, {options.workers} web processes")
        asyncio.run(_run(service, options, console))


async def _run(service: Service, options: argparse.Namespace, console: Console) -> None:
    with running_servers(Settings(data_dir=service.data_dir)) as settings:
        async with AsyncExitStack() as closing:
            databases = [Database(settings.database_url.get_secret_value()) for _ in range(PROCESSES)]
            for database in databases:
                await database.open()
                closing.push_async_callback(database.close)
            http = await closing.enter_async_context(aiohttp.ClientSession())
            tries = {
                "Over HTTP": (_farm("198.18", options), [_over_http(http, service)]),
                "Without the throttle": (
                    _farm("198.19", options),
                    [_straight(database, options.ceiling) for database in databases],
                ),
            }
            for title, (farm, ways) in tries.items():
                await _replay(title, farm, ways, database=databases[0], options=options, console=console)


def _farm(network: str, options: argparse.Namespace) -> list[SignUp]:
    """Of ten mailboxes five are at a domain of the farm's own, four are Gmail's and spelled anew each time, one is
    thrown away after use."""
    chance = random.Random(1)
    sign_ups = []
    for number in range(options.sign_ups):
        host = number % options.addresses
        gmail = ".".join(f"farm{chance.randrange(100)}{network[-1]}") + f"+{number}@gmail.com"
        own, thrown = f"u{number}@{network}.farm.example.com", f"u{number}@inbox.mailinator.com"
        subnet = f"{network}.{host % options.subnets}"
        email = chance.choice([own] * 5 + [gmail] * 4 + [thrown])
        sign_ups.append(SignUp(subnet, f"{subnet}.{host + 1}", email))
    return sign_ups


def _over_http(http: aiohttp.ClientSession, service: Service) -> Try:
    async def sign_up(one: SignUp) -> str:
        body = {"email": one.email, "password": PASSWORD}
        headers = {"X-Forwarded-For": one.address}
        while True:
            async with http.post(f"{service.url}/v1/auth/register", json=body, headers=headers) as response:
                answer = await response.json()
            if response.status == 201:
                return "made"
            wait_s = int(response.headers.get("Retry-After", 0))
            if not 0 < wait_s <= 60:
                return answer["error"]["message"]
            await asyncio.sleep(wait_s)

    return sign_up


def _straight(database: Database, ceiling: int) -> Try:
    """What a web process does behind its throttle."""
    accounts = Accounts(
        database,
        api_keys=ApiKeys(database, secrets=["secret"]),
        sessions=Sessions(database),
        passwords=Passwords(),
        ceilings=FreeAccountCeilings(secret="secret", per_subnet_and_day=ceiling, scale=1),
    )
    slots = asyncio.Semaphore(AT_ONCE)

    async def sign_up(one: SignUp) -> str:
        address = parse_address(one.address)
        async with slots:
            try:
                await accounts.register(email=one.email, password=PASSWORD, address=address)
            except NanoBananaError as error:
                return error.message
        return "made"

    return sign_up


async def _replay(
    title: str,
    farm: list[SignUp],
    ways: list[Try],
    *,
    database: Database,
    options: argparse.Namespace,
    console: Console,
) -> None:
    before, began = await _accounts(database), time.perf_counter()
    each = zip(itertools.cycle(ways), farm, strict=False)
    outcomes = await asyncio.gather(*(sign_up(one) for sign_up, one in each))
    seconds = time.perf_counter() - began
    made = await _accounts(database) - before
    by_subnet = Counter(one.subnet for one, outcome in zip(farm, outcomes, strict=True) if outcome == "made")
    most = options.subnets * options.ceiling
    console.print(f"\n{title}: {len(farm)} sign-ups in {seconds:.0f} s, {made} accounts; {most} is the most")
    console.print(f"  by subnet: {' '.join(str(count) for count in by_subnet.values())}")
    for outcome, count in Counter(outcome.partition(" Try again")[0] for outcome in outcomes).most_common():
        console.print(f"  {count:5} {outcome}")
    if made > most or made != by_subnet.total() or max(by_subnet.values(), default=0) > options.ceiling:
        sys.exit("The ceilings let too many through.")


async def _accounts(database: Database) -> int:
    (row,) = await database.statement("select count(*) from accounts", {})
    return int(row["count"])


if __name__ == "__main__":
    main()
