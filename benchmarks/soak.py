"""Money and idempotency under load, failures of Google and kill -9, for minutes; then all the books are held against
each other, and against what the sandbox in Google's place has drawn.

    ./nb bench soak [--minutes 3] [--callers 24] [--kill-every 10]

Three web processes and a worker; one of them is killed in turn, and twice the supervisor with all that hangs on it.
Now and then Google is overloaded for seconds.
"""

import argparse
import asyncio
import os
import random
import secrets
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import aiohttp
from harness import (
    Service,
    data_folder,
    free_port,
    machine,
    running_sandbox,
    start_service,
    start_worker,
)
from rich.console import Console
from soak_audit import Audit, Finding, Seen, report

from nanobanana.domain.billing.service import Billing
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.embedded.servers import running_servers

WORKERS = 3
FREE_IMAGES_PER_DAY = 100
SPENDING_CAP_USD, BALANCES_USD = 2, (5, 1)
ACCOUNTS = ("free", "free", "capped", "capped", "hourly", "payg", "payg", "pro")
# Of a hundred orders; the others succeed. Some of these may have cost a picture that never came.
FAILURES = {
    "image_safety": 10,
    "prompt_blocked": 3,
    "no_image": 3,
    "reset": 4,
    "reset_mid_body": 3,
    "truncate": 2,
    "broken_image": 3,
}
SETTLE_S = 90
# Google is overloaded for some seconds of so many.
OVERLOADED_S, OF_S = 4, 20


@dataclass(frozen=True)
class Caller:
    plan: str
    email: str
    key: str


class Soaked:
    """The service that is killed and started anew on the same data and address."""

    def __init__(self, data_dir: Path, google: str) -> None:
        self.data_dir = data_dir
        self._google = google
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.kills: Counter[str] = Counter()
        self._process: Popen[bytes]
        self._worker: Popen[bytes]

    def start(self) -> None:
        self._process = start_service(
            self.data_dir, port=self._port, google=self._google, workers=WORKERS, **self._settings
        )
        self._start_worker()

    @property
    def _settings(self) -> dict[str, str]:
        return {
            "PLANS_FILE": str(Path(__file__).with_name("soak_plans.toml")),
            "FREE_IMAGES_PER_DAY": str(FREE_IMAGES_PER_DAY),
            "THROTTLE_SCALE": "1000",
            # Refusals are among the failures; orders of suspended accounts would wait until they expire.
            "REFUSALS_PER_DAY": "1000000",
            # The queue is the worker's.
            "RUN_JOBS": "false",
        }

    def _start_worker(self) -> None:
        self._worker = start_worker(self.data_dir, google=self._google, **self._settings)

    def web_processes(self) -> list[int]:
        service = Service(url=self.url, key="", data_dir=self.data_dir, supervisor=self._process.pid)
        return sorted(pid for pid, name in service.processes().items() if name == "web")

    def kill_one(self, number: int) -> None:
        """The web processes and the worker in turn."""
        pids = self.web_processes()
        if which := number % (len(pids) + 1):
            os.kill(pids[which - 1], signal.SIGKILL)
            self.kills["web process"] += 1
        else:
            _kill(self._worker)
            self._start_worker()
            self.kills["worker"] += 1

    def kill_all(self) -> None:
        _kill(self._process)
        _kill(self._worker)
        self.kills["supervisor"] += 1

    def stop(self) -> None:
        for process in (self._worker, self._process):
            process.terminate()
            process.wait(timeout=60)


def _kill(process: Popen[bytes]) -> None:
    process.kill()
    process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--callers", type=int, default=24, help="that ask at once")
    parser.add_argument("--kill-every", type=float, default=10, metavar="SECONDS")
    options = parser.parse_args()
    console = Console(soft_wrap=True)
    console.print(f"{machine()}, {WORKERS} web processes, {options.callers} callers")
    with running_sandbox("--thought-signature-bytes", "0") as google, data_folder() as data_dir:
        soaked = Soaked(data_dir, google)
        soaked.start()
        try:
            faults = asyncio.run(_soak(soaked, google, options, console))
        finally:
            soaked.stop()
    if faults:
        sys.exit("The books do not agree: " + "; ".join(faults))


async def _soak(soaked: Soaked, google: str, options: argparse.Namespace, console: Console) -> list[str]:
    callers = await _sign_up(soaked)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        load = Load(http, soaked.url, callers)
        calls = [asyncio.create_task(load.call()) for _ in range(options.callers)]
        overloading = asyncio.create_task(_overload_again_and_again(http, google))
        await _kill_again_and_again(soaked, options)
        overloading.cancel()
        await _is_overloaded(http, google, is_=False)
        load.end()
        await asyncio.gather(*calls)
    with running_servers(Settings(data_dir=soaked.data_dir)) as settings:
        database = Database(settings.database_url.get_secret_value())
        await database.open()
        audit = Audit(database, images=soaked.data_dir / "images", google=google)
        findings = await audit.findings(load.seen, settle_s=SETTLE_S)
        await database.close()
    kills = ", ".join(f"{count} x {what}" for what, count in soaked.kills.items())
    return report(console, [Finding("killed", kills), *findings], load.seen)


async def _sign_up(soaked: Soaked) -> list[Caller]:
    callers = []
    async with aiohttp.ClientSession() as http:
        for plan in ACCOUNTS:
            email = f"{secrets.token_hex(4)}@example.com"
            body = {"email": email, "password": "correct horse battery"}
            async with http.post(f"{soaked.url}/v1/auth/register", json=body) as response:
                answer = await response.json()
            callers.append(Caller(plan, email, answer["api_key"]["key"]))
    with running_servers(Settings(data_dir=soaked.data_dir)) as settings:
        database = Database(settings.database_url.get_secret_value())
        await database.open()
        billing, balances = Billing(database), iter(BALANCES_USD)
        for caller in callers:
            await billing.move(email=caller.email, plan=caller.plan)
            if caller.plan == "payg":
                await billing.credit(email=caller.email, micro_usd=next(balances) * 1_000_000)
        await database.statement(
            "update accounts set spending_cap_micro_usd = %(cap)s where plan = 'payg'",
            {"cap": SPENDING_CAP_USD * 1_000_000},
        )
        await database.close()
    return callers


async def _kill_again_and_again(soaked: Soaked, options: argparse.Namespace) -> None:
    began, whole_s, number = time.monotonic(), options.minutes * 60, 0
    while (passed := time.monotonic() - began) < whole_s:
        await asyncio.sleep(min(options.kill_every, whole_s - passed))
        number += 1
        if soaked.kills["supervisor"] < int((time.monotonic() - began) / whole_s * 3) < 3:
            soaked.kill_all()
            await asyncio.to_thread(soaked.start)
        else:
            soaked.kill_one(number)


async def _overload_again_and_again(http: aiohttp.ClientSession, google: str) -> None:
    while True:
        await asyncio.sleep(OF_S - OVERLOADED_S)
        await _is_overloaded(http, google, is_=True)
        await asyncio.sleep(OVERLOADED_S)
        await _is_overloaded(http, google, is_=False)


async def _is_overloaded(http: aiohttp.ClientSession, google: str, *, is_: bool) -> None:
    method, what = ("PUT", "standing") if is_ else ("DELETE", "script")
    headers, body = {"x-goog-api-key": "sandbox"}, {"scenario": "overloaded"}
    async with http.request(method, f"{google}/_sandbox/{what}", headers=headers, json=body) as answer:
        answer.raise_for_status()


class Load:
    """Callers that ask again and again, as clients do: with an idempotency key or without, patiently or not."""

    def __init__(self, http: aiohttp.ClientSession, url: str, callers: list[Caller]) -> None:
        self._http = http
        self._url = f"{url}/v1/generate"
        self._callers = callers
        self._ending = False
        self.seen = Seen()

    def end(self) -> None:
        self._ending = True

    async def call(self) -> None:
        chance = random.Random()
        while not self._ending:
            caller, prompt = chance.choice(self._callers), _prompt(chance)
            key = secrets.token_hex(8) if chance.random() < 0.6 else None
            at_once = chance.choice((1, 1, 3)) if key else 1
            wait_s = chance.choice((0, 2, 40, 40))
            orders = (self._order(caller, prompt, key, wait_s) for _ in range(at_once))
            if not any(await asyncio.gather(*orders)):
                await asyncio.sleep(0.3)

    async def _order(self, caller: Caller, prompt: str, key: str | None, wait_s: int) -> bool:
        """Whether it was accepted. With a key, the same is sent again for as long as connections break."""
        headers = {"Authorization": f"Bearer {caller.key}", "Prefer": f"wait={wait_s}"}
        headers |= {"Idempotency-Key": key} if key else {}
        for _ in range(60 if key else 1):
            try:
                async with self._http.post(self._url, json={"prompt": prompt}, headers=headers) as response:
                    answer = await response.json()
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.seen.answers["connection broke"] += 1
                await asyncio.sleep(0.5)
                continue
            self.seen.note(response, answer, sender=(caller.email, key) if key else None)
            return response.status not in {402, 429}
        return False


def _prompt(chance: random.Random) -> str:
    """Eight pictures, which the sandbox draws once; the latency makes each order's prompt its own."""
    (failure,) = chance.choices([*FAILURES, "ok"], [*FAILURES.values(), 100 - sum(FAILURES.values())])
    latency = f"{chance.uniform(0.05, 2):.12f}"
    return f"banana number {chance.randrange(8)} [sandbox:{failure}] [sandbox:latency={latency}]"


if __name__ == "__main__":
    main()
