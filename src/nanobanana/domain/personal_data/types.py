from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from nanobanana.domain.api_keys.types import ApiKey
from nanobanana.domain.generation.types import Generation
from nanobanana.domain.images.types import ImageFormat, ImagePlace
from nanobanana.domain.sessions.types import Session
from nanobanana.domain.webhooks.types import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The account itself, with all that it tells about a person but the password's hash."""

    id: str
    email: str
    email_verified_at: datetime | None
    plan: str
    plan_moved_at: datetime | None
    spending_cap_micro_usd: int | None
    balance_micro_usd: int | None
    suspended_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAddress:
    """Where the account is to move to once the link in the mail comes back."""

    email: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What we hold of a person. The generations come page by page: they may be very many."""

    account: Owner
    pending_address: PendingAddress | None
    sessions: Sequence[Session]
    api_keys: Sequence[ApiKey]
    webhooks: Sequence[Webhook]
    generations: AsyncIterator[Sequence[Generation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A generation of an erased account, as far as its erasure goes."""

    id: str
    image_name: str
    image_format: ImageFormat | None
    image_place: ImagePlace | None
    attempt: int
    ended: bool
    erased: bool

    @property
    def picture(self) -> tuple[str, ImageFormat] | None:
        """What the row says that there is."""
        return (self.image_name, self.image_format) if self.image_format and self.image_place else None

    @property
    def may_have_more(self) -> bool:
        """Whether an attempt may have left something that the row does not tell."""
        return self.attempt > 1 or (self.attempt == 1 and self.image_format is None)
