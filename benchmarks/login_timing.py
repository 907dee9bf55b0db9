"""Whether the time of an answer tells known from unknown addresses: medians of login, of register and of
forgot-password (with mail set up), the two kinds in turn.

    ./nb bench login_timing [--tries 200]
"""

import argparse
import json
import os
import random
import socket
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

from harness import machine, running_sandbox, running_service
from rich.console import Console
from rich.table import Table

KNOWN = "known@example.com"
PASSWORD = "wombat quince lantern"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=200, help="of each kind")
    tries = parser.parse_args().tries
    os.environ["THROTTLE_SCALE"] = "1000"  # or most answers are 429, which tell nothing
    table = Table(
        "request", "known, ms", "unknown, ms", "apart", title=f"Medians of {tries} each, {machine()}"
    )
    _measure_all(table, tries)
    Console().print(table)


def _measure_all(table: Table, tries: int) -> None:
    with running_sandbox() as google:
        with running_service(google=google) as service:
            caller = _Caller(service.url)
            caller.post("register", email=KNOWN, password=PASSWORD)
            _add(table, "login", caller, tries, password="another wombat password")
            _add(table, "forgot-password", caller, tries)
        # Nobody listens there: the mails wait for their next try, the answers must not.
        with socket.create_server(("127.0.0.1", 0)) as bound:
            os.environ["SMTP_URL"] = f"smtp://127.0.0.1:{bound.getsockname()[1]}"
        os.environ["MAIL_FROM"] = "hello@example.com"
        with running_service(google=google) as service:
            # The development account is the one that exists without a mail.
            known = "developer@localhost.localdomain"
            _add(table, "register, mail set up", _Caller(service.url), tries, known=known, password=PASSWORD)


class _Caller:
    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc)

    def post(self, path: str, **body: str) -> float:
        """Milliseconds."""
        started = time.perf_counter()
        self._connection.request(
            "POST", f"/v1/auth/{path}", json.dumps(body), {"Content-Type": "application/json"}
        )
        response = self._connection.getresponse()
        response.read()
        took_ms = (time.perf_counter() - started) * 1000
        assert response.status in {201, 202, 401}, response.status
        return took_ms


def _add(table: Table, what: str, caller: _Caller, tries: int, *, known: str = KNOWN, **body: str) -> None:
    path = what.partition(",")[0]
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(tries):
        for is_known in random.sample((True, False), 2):
            email = known if is_known else f"unknown{number}@example.com"
            times[is_known].append(caller.post(path, email=email, **body))
    medians = {kind: statistics.median(found) for kind, found in times.items()}
    apart = abs(medians[True] - medians[False]) / medians[True]
    table.add_row(what, f"{medians[True]:.2f}", f"{medians[False]:.2f}", f"{apart:.1%}")


if __name__ == "__main__":
    main()
