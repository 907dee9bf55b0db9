"""Makes admitted images, apart from the requests that ask for them, and keeps their leases."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import structlog

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.generation import magic_words, repository, rules
from nanobanana.domain.generation.types import Generation, Made, NotMade
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import Picture
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.errors import GoogleError
from nanobanana.integrations.google.types import ImageRequest
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.metrics import BODIES, GENERATIONS, GOOGLE_CALLS, IN_FLIGHT, STEP_SECONDS
from nanobanana.storage.database import Database

# The first attempt and one more ask Google; a later one only looks whether a picture is there to be captured.
_ATTEMPTS_AT_GOOGLE = 2

# What one sweep takes over at most, so that several processes share what a dead one left.
_TAKEN_AT_ONCE = 20

log = structlog.get_logger()


class Runner:
    def __init__(self, database: Database, *, google: Mapping[Mode, GoogleImages], images: Images) -> None:
        self._database = database
        self._google = google
        self._images = images
        self._tasks: dict[str, asyncio.Task[Generation]] = {}
        self._attempts: dict[str, int] = {}
        self._drain: asyncio.Task[None] | None = None

    async def run(self, generation: Generation, *, wait_s: float) -> Generation:
        """Starts the work and waits for its end, `wait_s` seconds at most. Who stops waiting stops nothing.

        Work that broke without settling its row is not at its end: the row waits for another attempt."""
        task = self._start(generation)
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
                self._start(generation)
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

    def _start(self, generation: Generation) -> asyncio.Task[Generation]:
        task = asyncio.create_task(self._make_and_settle(generation), name=generation.id)
        self._tasks[generation.id] = task
        self._attempts[generation.id] = generation.attempt
        IN_FLIGHT.inc()
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Generation]) -> None:
        IN_FLIGHT.dec()
        del self._tasks[task.get_name()], self._attempts[task.get_name()]
        if not task.cancelled() and (error := task.exception()):
            # The row stays under its lease; when that runs out, another attempt takes it from there.
            log.error("generation_not_settled", generation_id=task.get_name(), exc_info=error)

    async def _make_and_settle(self, generation: Generation) -> Generation:
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
        return settled

    async def _make(self, generation: Generation) -> Made | NotMade:
        try:
            if generation.attempt > 1 and (made := await self._recover(generation)):
                return made
            if generation.attempt > _ATTEMPTS_AT_GOOGLE:
                return rules.failed("The service was interrupted while it made this image.")
            if generation.mode == "test":
                await asyncio.sleep(magic_words.delay_s(generation.prompt))
                if outcome := magic_words.outcome(generation.prompt):
                    return outcome
            return await self._ask_google(generation)
        except (GoogleError, UnusablePictureError, StoreError) as error:
            cause = error.code if isinstance(error, GoogleError) else type(error).__name__
            log.warning("generation_failed", generation_id=generation.id, cause=cause, detail=str(error))
            if isinstance(error, GoogleError):
                GOOGLE_CALLS.labels(generation.mode, cause).inc()
            return rules.explain(error)

    async def _recover(self, generation: Generation) -> Made | None:
        picture = await self._images.recover(generation.image_name)
        if picture is None:
            return None
        return Made(image_format=picture.format, image_bytes=len(picture.data))

    async def _ask_google(self, generation: Generation) -> Made:
        width, height = generation.pixels
        prompt = rules.directed(generation.prompt, generation.style)
        request = ImageRequest(prompt=prompt, width=width, height=height)
        asked = time.perf_counter()
        # Inside the block a slot for a body is held; it is free again once the picture is stored.
        async with self._google[generation.mode].generate(request) as answer:
            STEP_SECONDS.labels("google").observe(time.perf_counter() - asked)
            GOOGLE_CALLS.labels(generation.mode, "image").inc()
            with BODIES.track_inprogress():
                picture = await self._fit_and_keep(generation, answer.data)
        return Made(
            image_format=picture.format,
            image_bytes=len(picture.data),
            model=answer.model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )

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
