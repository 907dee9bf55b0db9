"""Generations as pages show them: their picture or what stands in its place, their state and charge in plain words."""

from dataclasses import dataclass
from typing import Literal

from nanobanana.domain.generation.types import Generation
from nanobanana.domain.images.service import Images
from nanobanana.domain.images.types import ENDINGS
from nanobanana.web.pages import usd

Look = Literal[
    "kept",
    "unstored",
    "queued",
    "running",
    "failed",
    "blocked",
    "cancelled",
    "overdue",
    "expired",
    "deleted",
]

STATES: dict[Look, str] = {
    "kept": "Kept",
    "unstored": "Kept, not yet in the store",
    "queued": "Waiting",
    "running": "Being made",
    "failed": "Failed",
    "blocked": "Refused",
    "cancelled": "Cancelled",
    "overdue": "Waited too long",
    "expired": "Expired",
    "deleted": "Deleted",
}
# By the code in the row; any other is left at the state.
_NOT_CHARGED = {
    "content_policy": "refused by the content policy",
    "invalid_request": "the image model does not accept it",
    "upstream_unavailable": "the image model failed",
    "expired": "it waited too long",
    "cancelled": "cancelled",
}
_THUMBNAIL_PIXELS = 512
# A page of prompts as long as they may be would be heavier than its pictures. The whole is on the page of each.
_SHORT = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureView:
    """`url` and `thumbnail` are None where there is no picture to show; `look` names what is shown then."""

    id: str
    address: str
    look: Look
    state: str
    charge: str
    # Shortened; empty once it is deleted.
    caption: str
    alt: str
    url: str | None
    thumbnail: str | None
    width: int
    height: int
    generation: Generation

    @property
    def is_ours(self) -> bool:
        """Whether we serve it ourselves: only then can a link to it be one to a file that is saved."""
        return self.url is not None and self.url.startswith("/")

    @property
    def thumbnail_pixels(self) -> tuple[int, int]:
        longer = max(self.width, self.height)
        return (
            round(self.width * _THUMBNAIL_PIXELS / longer),
            round(self.height * _THUMBNAIL_PIXELS / longer),
        )


def picture_of(generation: Generation, images: Images) -> PictureView:
    look = _look(generation)
    caption = shortened(generation.prompt)
    width, height = generation.pixels
    return PictureView(
        id=generation.id,
        address=f"/gallery/{generation.id}",
        look=look,
        state=STATES[look],
        charge=charge_of(generation),
        caption=caption,
        alt=caption or "A picture whose prompt is gone",
        url=_url(generation, images),
        thumbnail=images.thumbnail_link(generation.image_name, base_url="")
        if generation.has_picture
        else None,
        width=width,
        height=height,
        generation=generation,
    )


def charge_of(generation: Generation) -> str:
    if generation.mode == "test":
        return "Free: a test image"
    price = usd(generation.price_micro_usd) if generation.price_micro_usd else "1 image"
    if not generation.has_ended:
        return f"{price}, once it is made"
    if generation.state == "succeeded":
        return price
    return f"Not charged: {_NOT_CHARGED.get(generation.error_code or '', 'no picture')}"


def shortened(prompt: str) -> str:
    """In one line, as a caption and for those who do not see the picture."""
    line = " ".join(prompt[: 2 * _SHORT].split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1].rstrip()}…"


def _look(generation: Generation) -> Look:
    match generation.state, generation.image_state_now:
        case "succeeded", "kept":
            return "unstored" if generation.image_place == "waiting" else "kept"
        case "succeeded", ("expired" | "deleted") as gone:
            return gone
        case "expired", _:
            return "overdue"
        case ("queued" | "running" | "failed" | "blocked" | "cancelled") as state, _:
            return state
    raise AssertionError(f"{generation.id} has no look")


def _url(generation: Generation, images: Images) -> str | None:
    """Beside the store's own links: what no store has, we serve ourselves under the same name."""
    if not generation.has_picture or generation.image_format is None:
        return None
    link = None
    if generation.is_stored:
        link = images.link(
            generation.image_name,
            generation.image_format,
            expires_at=generation.expires_at,
            base_url="",
        )
    return link or f"/images/{generation.image_name}.{ENDINGS[generation.image_format]}"
