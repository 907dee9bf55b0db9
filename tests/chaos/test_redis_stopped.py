"""kill -STOP of Redis under load: it is there, takes connections and says nothing."""

import asyncio
import os
import re
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from httpx2 import AsyncClient

from tests.cli.serving import Service, serving

WORKERS = 3
# Of the table in domain/accounts/throttle.py, for links.
TRIES_A_MINUTE = 10
A_MINUTE_S = 60


@pytest.fixture
def service(data_dir: Path, database_url: str) -> Iterator[Service]:
    """With its own Valkey, which this test may stop."""
    settings = {"DATABASE_URL": database_url, "TRUSTED_PROXIES": "127.0.0.1"}
    with serving(data_dir, factory=None, workers=WORKERS, settings=settings) as service:
        yield service


class Load:
    """A few clients of each address that try one made-up link after the other: hardly any work beside the limit."""

    def __init__(self, service: Service) -> None:
        self._url = service.url
        self.answers: Counter[tuple[str, int]] = Counter()
        self.slowest = 0.0

    async def from_address(self, address: str, *, times: int) -> None:
        headers = {"X-Forwarded-For": address}
        # Unverified, since to load certificates holds up the loop that measures.
        async with AsyncClient(base_url=self._url, headers=headers, timeout=30, verify=False) as client:
            for _ in range(times):
                began = time.monotonic()
                response = await client.post(
                    "/v1/auth/confirm-email", json={"token": secrets.token_urlsafe(32)}
                )
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answers[address, response.status_code] += 1

    async def from_addresses(self, addresses: list[str], *, clients: int, times: int) -> None:
        await asyncio.gather(
            *(self.from_address(address, times=times) for address in addresses for _ in range(clients))
        )


def _valkey(service: Service) -> psutil.Process:
    [found] = [child for child in service.family() if "valkey" in child.name()]
    return found


async def _metric(service: Service, name: str) -> float:
    async with AsyncClient(base_url=service.url) as client:
        text = (await client.get("/metrics")).text
    found = re.search(rf"^nanobanana_{name} (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else 0


async def _undisturbed(service: Service, load: Load, *, network: str) -> str:
    """The address of 24 tries about which Redis decided. A busy machine may make it seem gone for a second, in which a
    process decides alone; others then try anew."""
    for number in range(20):
        alone = await _metric(service, "limited_without_redis_total")
        address = f"{network}.{number}.9"
        await load.from_addresses([address], clients=3, times=8)
        if await _metric(service, "limited_without_redis_total") == alone:
            return address
        await asyncio.sleep(0.5)
    raise AssertionError("Redis seemed gone at each of 20 looks")


async def test_no_request_takes_a_second_none_goes_unlimited_and_afterwards_all_is_as_before(
    service: Service,
) -> None:
    load = Load(service)
    during, after = ["203.0.2.9", "203.0.3.9"], ["203.0.4.9"]
    began = time.monotonic()
    before = await _undisturbed(service, load, network="203.1")
    assert load.answers[before, 400] == TRIES_A_MINUTE

    under_way = asyncio.create_task(load.from_addresses(during, clients=3, times=100))
    while not load.answers["203.0.2.9", 400]:
        await asyncio.sleep(0.005)
    load.slowest = 0.0
    valkey = _valkey(service)
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        await under_way
        await load.from_addresses(after, clients=3, times=10)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)

    assert load.slowest < 1
    # What Redis granted before it stopped, and then each process its share.
    for address in during:
        assert load.answers[address, 400] <= TRIES_A_MINUTE + WORKERS * (TRIES_A_MINUTE // WORKERS)
    assert 1 <= load.answers["203.0.4.9", 400] <= WORKERS * (TRIES_A_MINUTE // WORKERS)
    assert {status for _, status in load.answers} == {400, 429}

    async with asyncio.timeout(30):  # each process in its own time, on a machine that runs other tests
        while await _metric(service, "redis_up") != 1:
            await asyncio.sleep(0.1)
    load.answers.clear()
    alone = await _metric(service, "limited_without_redis_total")
    await load.from_addresses([before], clients=3, times=8)
    alone = await _metric(service, "limited_without_redis_total") - alone
    if time.monotonic() - began < A_MINUTE_S:
        assert load.answers[before, 400] <= alone  # Redis still knows
    assert load.answers[await _undisturbed(service, load, network="203.2"), 400] == TRIES_A_MINUTE
