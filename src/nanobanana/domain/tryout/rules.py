"""What makes a ticket good."""

import hashlib
import hmac
from collections.abc import Sequence

import orjson

from nanobanana.domain.generation.types import Order
from nanobanana.domain.tryout.types import Ticket


def ticket(order: Order, *, ends_at: int, secret: str) -> Ticket:
    words = orjson.dumps(["tryout", order.prompt, order.size, order.style, ends_at])
    return Ticket(ends_at=ends_at, signature=hmac.digest(secret.encode(), words, hashlib.sha256).hex())


def is_good(shown: Ticket, order: Order, *, secrets: Sequence[str], now: float) -> bool:
    """By any of the secrets: they may have changed a moment ago."""
    rights = [ticket(order, ends_at=shown.ends_at, secret=secret).signature for secret in secrets]
    is_ours = any(hmac.compare_digest(shown.signature.encode(), right.encode()) for right in rights)
    return is_ours and now < shown.ends_at
