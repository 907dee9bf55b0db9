from dataclasses import dataclass
from datetime import datetime

from nanobanana.domain.images.types import ImageFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A picture whose time is up and which is still somewhere."""

    id: str
    image_name: str
    image_format: ImageFormat
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What becomes of an account's older pictures on its new plan."""

    email: str
    plan: str
    retention_days: int
    moved_at: datetime
    gone_at: datetime
