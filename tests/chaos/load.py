"""Orders at a steady rate, as a patient client sends them."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from httpx2 import AsyncClient, HTTPError, Limits, Response

from tests.cli.serving import Service

_AGAIN_S = 0.5


def client_of(service: Service) -> AsyncClient:
    """With the key of the development account, and without a limit on connections: hundreds wait in an outage."""
    key = (service.data_dir / "development_api_key").read_text().strip()
    return AsyncClient(
        base_url=service.url,
        headers={"Authorization": f"Bearer {key}"},
        limits=Limits(max_connections=None),
        timeout=100,
    )


class Load:
    """A new order each 1/`rate` seconds while the block lasts, whatever became of those before; at its end all are
    answered. Every order has a key of its own, under which it is sent again when the connection breaks or the answer is
    503."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        rate: float,
        waits_s: tuple[int, ...],
        note: Callable[[float, Response], None] = lambda *_: None,
    ) -> None:
        """`waits_s`: how long orders want to wait for their image, in turn. `note` is told when each was sent, in seconds
        since the epoch, and what came of it in the end."""
        self._client = client
        self._rate = rate
        self._waits_s = waits_s
        self._note = note
        self._orders: list[asyncio.Task[None]] = []
        self.began_at: list[float] = []
        self.answers: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self.broken = 0
        self.slowest_s = 0.0
        self.ids: set[str] = set()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.cancel()
        await asyncio.gather(*self._orders)

    def count(self, *, since: float, until: float) -> int:
        """Orders that began then, in seconds since the epoch."""
        return sum(since <= at < until for at in self.began_at)

    async def _run(self) -> None:
        began = time.monotonic()
        while True:
            wait_s = self._waits_s[len(self._orders) % len(self._waits_s)]
            self._orders.append(asyncio.create_task(self._order(wait_s)))
            self.began_at.append(time.time())
            await asyncio.sleep(began + len(self._orders) / self._rate - time.monotonic())

    async def _order(self, wait_s: int) -> None:
        began = time.time()
        headers = {"Idempotency-Key": secrets.token_hex(8), "Prefer": f"wait={wait_s}"}
        while (answer := await self._send(headers)) is None or answer.status_code == 503:
            await asyncio.sleep(_AGAIN_S)
        self._note(began, answer)
        if answer.status_code in {200, 202}:
            self.ids.add(answer.json()["id"])

    async def _send(self, headers: Mapping[str, str]) -> Response | None:
        """None when the connection broke."""
        began = time.monotonic()
        try:
            answer = await self._client.post("/v1/generate", json={"prompt": "a banana"}, headers=headers)
        except HTTPError:
            self.broken += 1
            return None
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.answers[answer.status_code] += 1
        if not answer.is_success:
            self.codes[answer.json()["error"]["code"]] += 1
        return answer
