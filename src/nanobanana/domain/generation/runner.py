"""Makes admitted images, apart from the requests that ask for them, and keeps their leases."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

import structlog

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.generation import magic_words, repository, rules
from nanobanana.domain.generation.types import Generation, Made, NotMade
from nanobanana.domain.generation.watch import Watch
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import Picture
from nanobanana.domain.plans.rules import cost_micro_usd
from nanobanana.domain.plans.types import ModelCosts
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.domain.routes.service import Routes
from nanobanana.integrations.google.types import GoogleImage, ImageRequest
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.metrics import BODIES, GENERATIONS, IN_FLIGHT, STEP_SECONDS
from nanobanana.storage.database import Database

# The first attempt and one more ask Google; a later one only looks whether a picture is there to be captured.
_ATTEMPTS_AT_GOOGLE = 2

# Who still waits for the picture then has been told 202.
_CALLS_BEGIN_WITHIN_S = 60

# What one sweep takes over at most, so that several processes share what a dead one left.
_TAKEN_AT_ONCE = 20

Settled = Callable[[Generation], Awaitable[None]]

log = structlog.get_logger()


class Runner:
    def __init__(
        self,
        database: Database,
        *,
        routes: Mapping[Mode, Routes],
        images: Images,
        model_costs: ModelCosts,
    ) -> None:
        self._database = database
        self._model_costs = model_costs
        self._routes = routes
        self._images = images
        self._tasks: dict[str, asyncio.Task[Generation]] = {}
        self._attempts: dict[str, int] = {}
        self._watch = Watch(database)
        self._drain: asyncio.Task[None] | None = None

    def start(self, generation: Generation, *, then: Settled) -> None:
        """Works on the row, whoever waits for it; `then` is called with its final state, if this process settles it."""
        self._start(generation, then=then)

    async def wait(self, generation: Generation, *, wait_s: float) -> Generation:
        """The row in its final state, or as it was when it does not reach that in `wait_s` seconds, wherever it is
        worked on. Work that broke without settling its row is not at its end: the row waits for another attempt."""
        if generation.has_ended or wait_s == 0:
            return generation
        task = self._tasks.get(generation.id)
        if task is None:
            return await self._watch.ended(generation.id, wait_s=wait_s) or generation
        await asyncio.wait({task}, timeout=wait_s)
        ended = task.done() and not task.cancelled() and not task.exception()
        return task.result() if ended else generation

    async def renew_leases(self) -> None:
        """Gives up the work on rows that somebody else holds by now."""
        if self._attempts:
            attempts = dict(self._attempts)
            for id in attempts.keys() - await repository.renew_leases(self._database, attempts):
                if id in self._tasks:
                    self._tasks[id].cancel()

    async def take_over(self) -> int:
        """Goes on with what a dead process left behind. Gives the number of rows."""
        if self._drain:
            return 0
        taken = await repository.take_over(self._database, limit=_TAKEN_AT_ONCE)
        for generation in taken:
            log.warning("generation_taken_over", generation_id=generation.id, attempt=generation.attempt)
            if generation.id in self._tasks:
                # This process was asleep, or without a database, for longer than its lease: the work goes on.
                self._attempts[generation.id] = generation.attempt
            else:
                self._start(generation, then=None)
        return len(taken)

    async def drain(self, *, grace_s: float) -> None:
        """Waits for the work to end; what does not end in time is left to other processes at once, and those who
        wait for it learn that it is not finished. Called again, it waits for the end of the first call."""
        if self._drain is None:
            self._drain = asyncio.create_task(self._finish_or_hand_over(grace_s))
        await self._drain

    async def _finish_or_hand_over(self, grace_s: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_s)
        if unfinished := dict(self._attempts):
            for task in self._tasks.values():
                task.cancel()
            await repository.end_leases(self._database, unfinished)

    def _start(self, generation: Generation, *, then: Settled | None) -> None:
        task = asyncio.create_task(self._make_and_settle(generation, then), name=generation.id)
        self._tasks[generation.id] = task
        self._attempts[generation.id] = generation.attempt
        IN_FLIGHT.inc()
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Generation]) -> None:
        IN_FLIGHT.dec()
        del self._tasks[task.get_name()], self._attempts[task.get_name()]
        if not task.cancelled() and (error := task.exception()):
            # The row stays under its lease; when that runs out, another attempt takes it from there.
            log.error("generation_not_settled", generation_id=task.get_name(), exc_info=error)

    async def _make_and_settle(self, generation: Generation, then: Settled | None) -> Generation:
        outcome = await self._make(generation)
        with STEP_SECONDS.labels("settle").time():
            held = replace(generation, attempt=self._attempts[generation.id])
            settled = await repository.settle(self._database, held, outcome)
        if settled is None:
            log.warning("generation_lost_to_another_attempt", generation_id=generation.id)
            if await repository.is_erased(self._database, generation):
                # Whoever erases the account may have been past this row when our picture came late.
                await self._images.delete(generation.image_name)
            return generation
        GENERATIONS.labels(settled.mode, settled.state).inc()
        if isinstance(outcome, NotMade) and outcome.retry_after_s:
            settled = replace(settled, retry_after_s=outcome.retry_after_s)
        if then:
            await then(settled)
        return settled

    async def _make(self, generation: Generation) -> Made | NotMade:
        # Attempts whose process died may have cost a picture each; one that left its picture in the store did not.
        if generation.attempt == 1:
            return await self._attempt(generation)
        before = generation.attempt - 1 + generation.lost_attempts
        if made := await self._recover(generation):
            return replace(made, lost_attempts=before - 1)
        if generation.attempt > _ATTEMPTS_AT_GOOGLE:
            return rules.failed("The service was interrupted while it made this image.", lost_attempts=before)
        outcome = await self._attempt(generation)
        return replace(outcome, lost_attempts=before + outcome.lost_attempts)

    async def _attempt(self, generation: Generation) -> Made | NotMade:
        try:
            if generation.mode == "test":
                await asyncio.sleep(magic_words.delay_s(generation.prompt))
                if outcome := magic_words.outcome(generation.prompt):
                    return outcome
            return await self._ask_google(generation)
        except (NoRouteError, NotServedError) as error:
            return _not_made(generation, error)

    async def _recover(self, generation: Generation) -> Made | None:
        try:
            picture = await self._images.recover(generation.image_name)
        except (UnusablePictureError, StoreError) as error:
            log.warning("picture_not_recovered", generation_id=generation.id, detail=str(error))
            return None
        if picture is None:
            return None
        return Made(image_format=picture.format, image_bytes=len(picture.data))

    async def _ask_google(self, generation: Generation) -> Made | NotMade:
        width, height = generation.pixels
        prompt = rules.directed(generation.prompt, generation.style)
        request = ImageRequest(prompt=prompt, width=width, height=height)
        asked = time.perf_counter()
        routes, deadline = self._routes[generation.mode], time.time() + _CALLS_BEGIN_WITHIN_S
        held = replace(generation, attempt=self._attempts[generation.id])
        note_loss = partial(repository.note_lost_attempt, self._database, held)
        # Inside the block a slot for a body is held; it is free again once the picture is stored.
        async with routes.generate(request, deadline=deadline, note_loss=note_loss) as served:
            STEP_SECONDS.labels("google").observe(time.perf_counter() - asked)
            try:
                with BODIES.track_inprogress():
                    picture = await self._fit_and_keep(generation, served.image.data)
            except (UnusablePictureError, StoreError) as error:
                outcome = _not_made(generation, error)
                return replace(outcome, lost_attempts=outcome.lost_attempts + served.lost_attempts)
        answer = served.image
        return Made(
            image_format=picture.format,
            image_bytes=len(picture.data),
            model=answer.model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cost_micro_usd=self._cost_micro_usd(answer),
            lost_attempts=served.lost_attempts,
        )

    def _cost_micro_usd(self, answer: GoogleImage) -> int | None:
        cost = self._model_costs.get(answer.model)
        if cost is None:
            return None
        return cost_micro_usd(cost, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens)

    async def _fit_and_keep(self, generation: Generation, data: bytes) -> Picture:
        width, height = generation.pixels
        with STEP_SECONDS.labels("fit").time():
            picture = await self._images.fit(
                data,
                width=width,
                height=height,
                format=generation.format,
                watermark="TEST" if generation.mode == "test" else None,
            )
        with STEP_SECONDS.labels("store").time():
            await self._images.keep(generation.image_name, picture)
        return picture


def _not_made(
    generation: Generation, error: NoRouteError | NotServedError | UnusablePictureError | StoreError
) -> NotMade:
    cause = error.cause.code if isinstance(error, NotServedError) else type(error).__name__
    log.warning("generation_failed", generation_id=generation.id, cause=cause, detail=str(error))
    return rules.explain(error)
