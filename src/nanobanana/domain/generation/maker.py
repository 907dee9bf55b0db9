"""Makes the picture of one attempt: asks Google, fits, keeps."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import structlog

from nanobanana.domain.api_keys.types import Mode
from nanobanana.domain.generation import magic_words, rules
from nanobanana.domain.generation.types import Generation, Made, NotMade
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import ImagePlace, Picture
from nanobanana.domain.plans.rules import cost_micro_usd
from nanobanana.domain.plans.types import ModelCosts
from nanobanana.domain.routes.errors import NoRouteError, NotServedError
from nanobanana.domain.routes.service import NoteLoss, Routes
from nanobanana.integrations.google.types import GoogleImage, ImageRequest
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.metrics import BODIES, STEP_SECONDS

# What Google may have charged for is asked for once more; after that only a picture that is there is captured.
_LOST_AT_MOST = 1
# Who still waits for the picture then has been told 202.
_CALLS_BEGIN_WITHIN_S = 60

log = structlog.get_logger()


class Maker:
    def __init__(self, *, routes: Mapping[Mode, Routes], images: Images, model_costs: ModelCosts) -> None:
        self._routes = routes
        self._images = images
        self._model_costs = model_costs

    async def make(self, generation: Generation, *, note_loss: NoteLoss) -> Made | NotMade:
        """Raises NoRouteError when a live image is to wait for a route. `note_loss` is called before Google is asked
        again for what it may have charged for."""
        # What was lost may have cost a picture each time; the attempt that left its picture in the store did not.
        before = generation.lost_attempts
        if before == 0:
            return await self._attempt(generation, note_loss)
        if made := await self._adopt(generation):
            return replace(made, lost_attempts=before - 1)
        if before > _LOST_AT_MOST:
            return rules.failed("The service was interrupted while it made this image.", lost_attempts=before)
        outcome = await self._attempt(generation, note_loss)
        return replace(outcome, lost_attempts=before + outcome.lost_attempts)

    async def discard(self, generation: Generation) -> None:
        """What this attempt stored, and nobody else's: its row is another attempt's."""
        try:
            await self._images.discard(generation.image_name)
        except StoreError as error:
            log.warning("picture_not_discarded", generation_id=generation.id, detail=str(error))

    async def _attempt(self, generation: Generation, note_loss: NoteLoss) -> Made | NotMade:
        try:
            if generation.mode == "test":
                await asyncio.sleep(magic_words.delay_s(generation.prompt))
                if outcome := magic_words.outcome(generation.prompt):
                    return outcome
            return await self._ask_google(generation, note_loss)
        except NoRouteError as error:
            if generation.mode == "live":
                raise
            return _not_made(generation, error)
        except NotServedError as error:
            return _not_made(generation, error)

    async def _adopt(self, generation: Generation) -> Made | None:
        """The picture that an earlier attempt stored before it was interrupted, now under this attempt's name."""
        try:
            adopted = await self._images.adopt(generation.image_name, keep_s=generation.retention_s)
        except StoreError as error:
            log.warning("picture_not_recovered", generation_id=generation.id, detail=str(error))
            return None
        if adopted is None:
            return None
        picture, place = adopted
        return Made(image_format=picture.format, image_bytes=len(picture.data), image_place=place)

    async def _ask_google(self, generation: Generation, note_loss: NoteLoss) -> Made | NotMade:
        width, height = generation.pixels
        prompt = rules.directed(generation.prompt, generation.style)
        request = ImageRequest(prompt=prompt, width=width, height=height)
        asked = time.perf_counter()
        routes, deadline = self._routes[generation.mode], time.time() + _CALLS_BEGIN_WITHIN_S
        # Inside the block a slot for a body is held; it is free again once the picture is stored.
        async with routes.generate(
            request, deadline=deadline, note_loss=note_loss, lost_before=generation.lost_attempts
        ) as served:
            STEP_SECONDS.labels("google").observe(time.perf_counter() - asked)
            try:
                with BODIES.track_inprogress():
                    picture, place = await self._fit_and_keep(generation, served.image.data)
            except UnusablePictureError as error:
                outcome = _not_made(generation, error)
                return replace(outcome, lost_attempts=outcome.lost_attempts + served.lost_attempts)
        answer = served.image
        return Made(
            image_format=picture.format,
            image_bytes=len(picture.data),
            image_place=place,
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

    async def _fit_and_keep(self, generation: Generation, data: bytes) -> tuple[Picture, ImagePlace]:
        width, height = generation.pixels
        with STEP_SECONDS.labels("fit").time():
            picture = await self._images.fit(
                data,
                width=width,
                height=height,
                format=generation.format,
                # Test keys are promised the same bytes for the same order.
                id=generation.id if generation.mode == "live" else None,
                watermark="TEST" if generation.mode == "test" else None,
            )
        with STEP_SECONDS.labels("store").time():
            try:
                place = await self._keep(generation, picture)
            except asyncio.CancelledError:
                # The store goes on by itself: only once the picture is there do others find it, or we delete it.
                await self._keep(generation, picture)
                raise
        return picture, place

    async def _keep(self, generation: Generation, picture: Picture) -> ImagePlace:
        return await self._images.keep(generation.image_name, picture, keep_s=generation.retention_s)


def _not_made(generation: Generation, error: NoRouteError | NotServedError | UnusablePictureError) -> NotMade:
    cause = error.cause.code if isinstance(error, NotServedError) else type(error).__name__
    log.warning("generation_failed", generation_id=generation.id, cause=cause, detail=str(error))
    return rules.explain(error)
