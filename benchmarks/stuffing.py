"""Credential stuffing: 5,000 logins from 50 addresses against 100 accounts, while an owner logs in from elsewhere.

./nb bench stuffing [--logins 5000] [--addresses 50] [--accounts 100] [--workers 2]

Every address comes through a trusted proxy on this machine and from a subnet of its own. Then the CPU of one decision.
"""

import argparse
import asyncio
import os
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp
from harness import Service, machine, running_sandbox, running_service
from rich.console import Console

PASSWORD = "correct horse battery"
OWNERS_ADDRESS = "198.51.100.7"
CONNECTIONS = 100


@dataclass
class Outcome:
    statuses: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--logins", type=int, default=5000)
    parser.add_argument("--addresses", type=int, default=50)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.environ["TRUSTED_PROXIES"] = "127.0.0.1"
    console = Console()
    with running_sandbox() as google, running_service(google=google, workers=options.workers) as service:
        console.print(f"{machine()}, {options.workers} web processes")
        asyncio.run(_run(service, options, console))


async def _run(service: Service, options: argparse.Namespace, console: Console) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:
        owner = Outcome()
        await _post(http, service, "register", address=OWNERS_ADDRESS, email=_account(0), outcome=Outcome())
        attack = Outcome()
        before, began = service.cpu_seconds(), time.perf_counter()
        attackers = asyncio.gather(*_attack(http, service, options, attack))
        while not attackers.done() and len(owner.seconds) < 8:
            await _post(http, service, "login", address=OWNERS_ADDRESS, email=_account(0), outcome=owner)
            await asyncio.sleep(1)
        await attackers
        seconds = time.perf_counter() - began
        _report(console, "Stuffing", attack, seconds, _difference(service.cpu_seconds(), before))
        console.print(f"Refused by: {await _refusals(http, service)}")
        console.print(f"Owner, meanwhile: {dict(owner.statuses)}, slowest {max(owner.seconds):.2f} s")
        await _cost_of_refusals(http, service, console)


def _attack(
    http: aiohttp.ClientSession, service: Service, options: argparse.Namespace, outcome: Outcome
) -> list:
    """One task per address, each going through the accounts in an order of its own."""
    each = options.logins // options.addresses
    chance = random.Random(1)

    async def from_address(address: str, accounts: list[int]) -> None:
        for account in accounts:
            await _post(
                http,
                service,
                "login",
                address=address,
                email=_account(account),
                password="a leaked password",
                outcome=outcome,
            )

    return [
        from_address(f"203.0.{i}.9", [chance.randrange(options.accounts) for _ in range(each)])
        for i in range(options.addresses)
    ]


async def _cost_of_refusals(http: aiohttp.ClientSession, service: Service, console: Console) -> None:
    """What the throttle costs on top of HTTP: an address that is refused, beside an answer that needs nothing."""
    count = 2000
    for name in ("refused login", "healthz"):
        outcome = Outcome()
        before, began = service.cpu_seconds(), time.perf_counter()
        for _ in range(count):
            if name == "healthz":
                async with http.get(f"{service.url}/healthz") as response:
                    outcome.statuses[response.status] += 1
            else:
                await _post(
                    http, service, "login", address="203.0.1.9", email="x@example.com", outcome=outcome
                )
        used = _difference(service.cpu_seconds(), before)
        each = {kind: round(1e6 * cpu / count) for kind, cpu in used.items() if cpu}
        console.print(
            f"{name}: {dict(outcome.statuses)} CPU microseconds each {each}, {(time.perf_counter() - began) / count * 1e6:.0f} in all"
        )


def _report(console: Console, title: str, outcome: Outcome, seconds: float, cpu: dict[str, float]) -> None:
    total = sum(outcome.statuses.values())
    ordered = sorted(outcome.seconds)
    console.print(f"{title}: {total} in {seconds:.1f} s: {dict(outcome.statuses)}")
    console.print(f"Let through to argon2: {outcome.statuses[401]} ({outcome.statuses[401] / total:.1%})")
    console.print(f"Answers: median {ordered[total // 2] * 1000:.0f} ms, slowest {ordered[-1]:.2f} s")
    console.print(f"CPU seconds: { {kind: round(used, 1) for kind, used in cpu.items()} }")


async def _post(
    http: aiohttp.ClientSession,
    service: Service,
    action: str,
    *,
    address: str,
    email: str,
    outcome: Outcome,
    password: str = PASSWORD,
) -> None:
    began = time.perf_counter()
    body = {"email": email, "password": password}
    headers = {"X-Forwarded-For": address}
    async with http.post(f"{service.url}/v1/auth/{action}", json=body, headers=headers) as response:
        await response.read()
        outcome.statuses[response.status] += 1
    outcome.seconds.append(time.perf_counter() - began)


async def _refusals(http: aiohttp.ClientSession, service: Service) -> dict[str, int]:
    async with http.get(f"{service.url}/metrics") as response:
        found = re.findall(r'nanobanana_throttled_total\{limit="(\w+)"\} (\d+)', await response.text())
    return {limit: int(count) for limit, count in found}


def _difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {kind: seconds - before.get(kind, 0) for kind, seconds in after.items()}


def _account(number: int) -> str:
    return f"account{number}@example.com"


if __name__ == "__main__":
    main()
