from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Mode = Literal["live", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key. Its text exists only in the answer that created it."""

    id: str
    account_id: str
    mode: Mode
    name: str
    last4: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key with its text, the one time it is shown."""

    api_key: ApiKey
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who a request with a valid key comes from."""

    api_key_id: str
    account_id: str
    mode: Mode
    key_hash: bytes
