"""Sends what is due, endpoint by endpoint, in any process and through any kill.

An endpoint is held by one process, which sends it a few deliveries at a time, round by round; when that process dies
the hold runs out and another goes on. So a delivery may come twice, with the same id and the same bytes.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from nanobanana.domain.webhooks import delivery_repository, repository, rules
from nanobanana.domain.webhooks.payloads import Payloads
from nanobanana.domain.webhooks.secret_box import SecretBox
from nanobanana.domain.webhooks.types import Attempt, DueDelivery
from nanobanana.errors import ServiceUnavailableError
from nanobanana.integrations.webhooks import signature
from nanobanana.integrations.webhooks.client import WebhookClient
from nanobanana.shutdown import HAND_OVER_S
from nanobanana.storage.database import Database
from nanobanana.storage.queue import defer

# Of one endpoint, whatever the number of processes.
DELIVERIES_AT_ONCE = 4
# Of one process, for each kind: endpoints that fail wait among themselves and never before one that works. Those that
# worked until now may die together, and hold their places until the first try has timed out.
_ENDPOINTS_AT_ONCE = {"working": 100, "failing": 16}
# Of nothing but failures, before an endpoint is disabled.
PATIENCE = timedelta(days=5)

log = structlog.get_logger()


class Dispatcher:
    def __init__(
        self, database: Database, *, client: WebhookClient, box: SecretBox, payloads: Payloads
    ) -> None:
        self._database = database
        self._client = client
        self._box = box
        self._payloads = payloads
        self._tasks: dict[str, set[asyncio.Task[None]]] = {kind: set() for kind in _ENDPOINTS_AT_ONCE}
        self._draining = False

    async def send_due(self) -> None:
        """Begins with the endpoints that something is due for, as many as there is room for."""
        for kind, tasks in self._tasks.items():
            room = _ENDPOINTS_AT_ONCE[kind] - len(tasks)
            if room <= 0 or self._draining:
                continue
            claimed = await delivery_repository.claim(self._database, failing=kind == "failing", limit=room)
            for webhook_id in claimed:
                task = asyncio.create_task(self._serve(webhook_id), name=webhook_id)
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    async def drain(self, *, grace_s: float) -> None:
        """Begins nothing more and lets the tries under way end; what does not end in time is tried again elsewhere."""
        self._draining = True
        tasks = set[asyncio.Task[None]]().union(*self._tasks.values())
        if not tasks:
            return
        _, unfinished = await asyncio.wait(tasks, timeout=grace_s)
        for task in unfinished:
            task.cancel()
        # Without the database the holds run out.
        with suppress(ServiceUnavailableError, TimeoutError):
            async with asyncio.timeout(HAND_OVER_S):
                for task in unfinished:
                    await delivery_repository.release(self._database, task.get_name(), rest_s=0)

    async def _serve(self, webhook_id: str) -> None:
        """Round by round, until nothing is due or the endpoint asks for a rest."""
        try:
            rest_s = 0
            while not rest_s and not self._draining:
                due = await delivery_repository.take_due(self._database, webhook_id, limit=DELIVERIES_AT_ONCE)
                if not due:
                    break
                tried = await asyncio.gather(*(self._deliver(delivery) for delivery in due))
                attempts = [attempt for attempt in tried if attempt]
                if attempts:
                    await self._conclude(webhook_id, attempts)
                    rest_s = rules.rest_s(attempts)
            await delivery_repository.release(self._database, webhook_id, rest_s=rest_s)
        except Exception:  # the hold runs out, and then it is tried again
            log.exception("webhook_round_broke", webhook_id=webhook_id)

    async def _deliver(self, delivery: DueDelivery) -> Attempt | None:
        """None when another process was faster."""
        text = delivery.body
        if text is None:
            made = await self._payloads.body(delivery)
            text = await delivery_repository.fix_body(self._database, delivery.id, made)
        if text is None:
            return None
        body = text.encode()
        secrets = [self._box.decrypt(secret) for secret in delivery.secrets]
        headers = signature.headers(delivery.event_id, int(time.time()), body, secrets)
        answer = await self._client.post(delivery.url, body=body, headers=headers)
        attempt = rules.outcome(answer, attempts=delivery.attempts, chance=random.random())  # noqa: S311 - no secret
        await delivery_repository.record(self._database, delivery, attempt)
        return attempt

    async def _conclude(self, webhook_id: str, attempts: Sequence[Attempt]) -> None:
        await delivery_repository.note_health(self._database, webhook_id, failing=not rules.works(attempts))
        if any(attempt.gone for attempt in attempts):
            await self._disable(webhook_id, gone=True)
        elif any(attempt.state == "failed" for attempt in attempts):
            await self._disable(webhook_id, gone=False)

    async def _disable(self, webhook_id: str, *, gone: bool) -> None:
        """And tells the owner: at once when the endpoint says that it is gone, else after days of nothing but failures."""
        async with self._database.begin() as connection:
            if await repository.disable(
                connection,
                webhook_id,
                reason="gone" if gone else "failing",
                failing_for=timedelta() if gone else PATIENCE,
            ):
                await defer(connection, "send_webhook_disabled", webhook_id=webhook_id)
                log.info("webhook_disabled", webhook_id=webhook_id, gone=gone)
