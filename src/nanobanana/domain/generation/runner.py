"""Works on admitted generations, apart from the requests that ask for them, and keeps their leases."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from nanobanana.domain.generation import repository, rules
from nanobanana.domain.generation.maker import Maker
from nanobanana.domain.generation.queue import GenerationQueue
from nanobanana.domain.generation.speed_limits import SpeedLimits
from nanobanana.domain.generation.types import Generation, Made, NotMade, Work
from nanobanana.domain.generation.watch import Watch
from nanobanana.domain.routes.errors import NoRouteError
from nanobanana.errors import ServiceUnavailableError
from nanobanana.metrics import GENERATIONS, IN_FLIGHT, STEP_SECONDS
from nanobanana.shutdown import CANCEL_S, HAND_OVER_S
from nanobanana.storage.database import Database

# What one sweep takes over at most, so that several processes share what a dead one left.
_TAKEN_AT_ONCE = 20
# Between two claims, while more waits than there was room for.
_PAUSE_S = 0.1
# When the database has been away: all the living renew their leases first.
_PATIENCE_S = 7
# Between two tries to settle while the database is away; the lease ends in between, if it stays away.
_SETTLE_AGAIN_S = 1
_SETTLE_TRIES = 15

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Task:
    """Work of this process on a row. `is_making`: a picture, so far; `is_lost`: the row is somebody else's."""

    work: Work
    is_making: bool = True
    is_lost: bool = False
    future: asyncio.Task[Generation] = field(init=False)


class Runner:
    def __init__(
        self,
        database: Database,
        *,
        maker: Maker,
        queue: GenerationQueue,
        speed_limits: SpeedLimits,
        refusals_per_day: int,
    ) -> None:
        self._database = database
        self._maker = maker
        self._queue = queue
        self._speed_limits = speed_limits
        self._refusals_per_day = refusals_per_day
        self._tasks: dict[str, _Task] = {}
        self._watch = Watch(database)
        self._drain_until: float | None = None
        self._drain: asyncio.Task[None] | None = None
        self._patient_until = 0.0

    @property
    def is_draining(self) -> bool:
        return self._drain_until is not None

    @property
    def arrival(self) -> asyncio.Event:
        """Set when an order of this process has come to wait in the queue."""
        return self._queue.arrival

    def start(self, work: Work) -> None:
        """Works on the row, whoever waits for it."""
        task = _Task(work)
        self._tasks[work.generation.id] = task
        IN_FLIGHT.inc()
        task.future = asyncio.create_task(self._make_and_settle(task), name=work.generation.id)
        task.future.add_done_callback(lambda _: self._forget(task))

    async def wait(self, generation: Generation, *, wait_s: float) -> Generation:
        """The row in its final state, or as it was when it does not reach that in `wait_s` seconds, wherever and by
        however many it is worked on."""
        if generation.has_ended or wait_s == 0:
            return generation
        deadline = time.monotonic() + wait_s
        if task := self._tasks.get(generation.id):
            generation = await _result(task.future, wait_s=wait_s) or generation
        left_s = deadline - time.monotonic()
        if generation.has_ended or left_s <= 0:
            return generation
        # Waiting again, or work that broke without settling its row: somebody will take it up.
        return await self._watch.ended(generation.id, wait_s=left_s) or generation

    async def settle(self, work: Work, outcome: Made | NotMade) -> Generation | None:
        """The row in its final state; None, and nothing changed, when this attempt no longer holds it."""
        with STEP_SECONDS.labels("settle").time():
            settled = await self._settled(work, outcome)
        if settled is None:
            return None
        GENERATIONS.labels(settled.mode, settled.state).inc()
        self._speed_limits.end(work.token, refund=rules.gives_tokens_back(settled.state))
        if isinstance(outcome, NotMade):
            settled = replace(settled, retry_after_s=outcome.retry_after_s)
        return settled

    async def _settled(self, work: Work, outcome: Made | NotMade) -> Generation | None:
        """Again while the database is away: what Google has been asked for is not to be asked for anew."""
        tries = 0
        while True:
            try:
                return await repository.settle(
                    self._database, work.generation, outcome, refusals_per_day=self._refusals_per_day
                )
            except ServiceUnavailableError:
                tries += 1
                if tries == _SETTLE_TRIES:
                    raise
            await asyncio.sleep(_SETTLE_AGAIN_S)

    async def renew_leases(self) -> None:
        """Gives up the work on rows that somebody else holds by now."""
        held = dict(self._tasks)
        if held:
            for id in held.keys() - await repository.renew_leases(self._database, _attempts(held.values())):
                # Who is settling finds out by itself, or has settled it just now.
                if held[id].is_making:
                    held[id].is_lost = True
                    held[id].future.cancel()

    async def take_over(self) -> int:
        """Goes on with what a dead process left behind. Gives the number of rows."""
        number = 0
        if self.is_draining or time.monotonic() < self._patient_until:
            return number
        try:
            while taken := await self._take_over_some():
                number += len(taken)
                if len(taken) < _TAKEN_AT_ONCE:
                    break
                await asyncio.sleep(_PAUSE_S)
        except ServiceUnavailableError:
            self._patient_until = time.monotonic() + _PATIENCE_S
            raise
        return number

    async def _take_over_some(self) -> list[Work]:
        taken = await repository.take_over(self._database, limit=_TAKEN_AT_ONCE, own=self._tasks.keys())
        for work in taken:
            log.warning(
                "generation_taken_over", generation_id=work.generation.id, attempt=work.generation.attempt
            )
            self.start(work)
        return taken

    async def work_off_queue(self) -> None:
        """Claims what waits as fast as the routes have room for it, until nothing waits."""
        more = True
        while more and not self.is_draining:
            works, more = await self._queue.claim()
            for work in works:
                self.start(work)
            await asyncio.sleep(_PAUSE_S)

    async def look_at_queue(self) -> None:
        """What `work_off_queue` sees by the way."""
        await self._queue.look()

    async def expire(self) -> None:
        """Ends what has waited for as long as anything may."""
        while works := await self._queue.too_old():
            for work in works:
                await self.settle(work, rules.expired(work.generation))

    async def drain(self, *, grace_s: float) -> None:
        """Waits for the work to end; what does not end in time is left to other processes at once, and those who
        wait for it learn that it is not finished. Called again, it waits for what has begun since, until the time of
        the first call is up."""
        if self._drain_until is None:
            self._drain_until = time.monotonic() + grace_s
            self._queue.close()
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._finish_or_hand_over(self._drain_until))
        await self._drain

    async def _finish_or_hand_over(self, deadline: float) -> None:
        while self._tasks and (left_s := _left_s(deadline)):
            await asyncio.wait({task.future for task in self._tasks.values()}, timeout=left_s)
        if unfinished := list(self._tasks.values()):
            for task in unfinished:
                task.future.cancel()
            # What they are storing is stored then: whoever goes on finds it.
            cancelled_by = deadline + CANCEL_S
            await asyncio.wait({task.future for task in unfinished}, timeout=_left_s(cancelled_by))
            await self._hand_over(unfinished, until=cancelled_by + HAND_OVER_S)
        self._watch.close()

    async def _hand_over(self, tasks: Iterable[_Task], *, until: float) -> None:
        try:
            async with asyncio.timeout(_left_s(until)):
                await repository.hand_over(self._database, _attempts(tasks))
        except (ServiceUnavailableError, TimeoutError) as error:
            # Without the database nobody can be told: the leases run out.
            log.warning("generations_not_handed_over", error=repr(error))

    def _forget(self, task: _Task) -> None:
        IN_FLIGHT.dec()
        id = task.work.generation.id
        if self._tasks.get(id) is task:
            del self._tasks[id]
        if not task.future.cancelled() and (error := task.future.exception()):
            # The row stays under its lease; when that runs out, another attempt takes it from there.
            log.error("generation_not_settled", generation_id=id, exc_info=error)

    async def _make_and_settle(self, task: _Task) -> Generation:
        """The row in its final state, or waiting again."""
        generation = task.work.generation
        try:
            outcome = await self._maker.make(generation, note_loss=partial(self._note_loss, task))
        except NoRouteError as error:
            return await self._queue.put_back(generation, error) or generation
        except asyncio.CancelledError:
            if task.is_lost:
                await self._maker.discard(generation)
            raise
        finally:
            task.is_making = False
        if generation.mode == "live" and isinstance(outcome, Made):
            self._queue.note_served()
        settled = await self.settle(task.work, outcome)
        if settled is None:
            log.warning("generation_lost_to_another_attempt", generation_id=generation.id)
            await self._maker.discard(generation)
        return settled or generation

    async def _note_loss(self, task: _Task) -> None:
        """Who has lost the row while it asked Google does not ask again."""
        if not await repository.note_lost_attempt(self._database, task.work.generation):
            task.is_lost = True
            raise asyncio.CancelledError


async def _result(task: asyncio.Task[Generation], *, wait_s: float) -> Generation | None:
    """None when there is none in time, or none at all."""
    await asyncio.wait({task}, timeout=wait_s)
    ended = task.done() and not task.cancelled() and not task.exception()
    return task.result() if ended else None


def _left_s(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _attempts(tasks: Iterable[_Task]) -> dict[str, int]:
    return {task.work.generation.id: task.work.generation.attempt for task in tasks}
