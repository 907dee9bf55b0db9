from dataclasses import dataclass

from nanobanana.integrations.google.types import GoogleImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A picture, and how often Google may have made, and charged, another one before it that never came."""

    image: GoogleImage
    lost_attempts: int
