"""What a delivery says. Made when it is first sent: every further try sends the same bytes, until one is the last
or the image is deleted."""

from typing import Any

import orjson

from nanobanana.domain.generation import repository as generation_repository
from nanobanana.domain.generation.errors import error_of
from nanobanana.domain.generation.types import Generation
from nanobanana.domain.images.service import Images
from nanobanana.domain.webhooks.types import DueDelivery
from nanobanana.kit.money import MICRO
from nanobanana.storage.database import Database


class Payloads:
    def __init__(self, database: Database, *, images: Images, base_url: str) -> None:
        self._database = database
        self._images = images
        self._base_url = base_url

    async def body(self, delivery: DueDelivery) -> str:
        data = delivery.subject
        if delivery.type.startswith("image."):
            data = await self._image(data["id"], account_id=delivery.account_id)
        payload = {"type": delivery.type, "timestamp": delivery.created_at, "data": data}
        return orjson.dumps(payload, option=orjson.OPT_UTC_Z).decode()

    async def _image(self, id: str, *, account_id: str) -> dict[str, Any]:
        work = await generation_repository.find(self._database, id, account_id=account_id)
        if work is None:
            return {"id": id}
        generation = work.generation
        thumbnail_url = (
            self._images.thumbnail_link(generation.image_name, base_url=self._base_url)
            if generation.has_picture
            else None
        )
        return image_data(generation, url=self._link_to(generation), thumbnail_url=thumbnail_url)

    def _link_to(self, generation: Generation) -> str | None:
        """None for a picture that no store holds: a delivery is no place for megabytes."""
        if generation.image_format is None or not generation.is_stored:
            return None
        return self._images.link(
            generation.image_name,
            generation.image_format,
            expires_at=generation.expires_at,
            base_url=self._base_url,
        )


def image_data(generation: Generation, *, url: str | None, thumbnail_url: str | None) -> dict[str, Any]:
    """As GET /v1/generations/{id} tells it; a test holds the two together."""
    return {
        "id": generation.id,
        "status": generation.state,
        "url": url,
        "thumbnail_url": thumbnail_url,
        "prompt": generation.prompt,
        "size": generation.size,
        "style": generation.style,
        "format": generation.image_format or generation.format,
        "mode": generation.mode,
        "model": generation.model,
        "image_state": generation.image_state_now,
        "stored": generation.is_stored,
        "expires_at": generation.expires_at,
        "charge": _charge(generation),
        "error": _error(generation),
        "queue_position": None,
        "created_at": generation.created_at,
        "finished_at": generation.finished_at,
    }


def _charge(generation: Generation) -> dict[str, Any]:
    """Of a generation that has ended."""
    if generation.mode == "test":
        return {"state": "released", "images": 0, "amount_usd": 0.0, "reason": "test_mode"}
    if generation.state == "succeeded":
        paid = generation.price_micro_usd / MICRO
        return {"state": "captured", "images": 1, "amount_usd": paid, "reason": "image_kept"}
    reason = generation.error_code or generation.state
    return {"state": "released", "images": 0, "amount_usd": 0.0, "reason": reason}


def _error(generation: Generation) -> dict[str, Any] | None:
    if generation.error_code is None or generation.error_message is None:
        return None
    error = error_of(generation.error_code, generation.error_message)
    return {"code": error.code, "message": error.message, "retryable": error.retryable}
