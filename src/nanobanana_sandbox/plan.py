"""What one call is going to get. Each scenario turns one plan into another."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.config import NO_LATENCY, Latency
from nanobanana_sandbox.errors import GoogleError

ErrorFactory = Callable[[Call], GoogleError]


class Wire(Enum):
    """What happens to the answer on its way."""

    WHOLE = auto()
    HANG = auto()
    STALL = auto()
    RESET = auto()
    RESET_MID_BODY = auto()
    TRUNCATED_JSON = auto()
    SHORT_BODY = auto()


class Damage(Enum):
    """What is wrong with the picture's file."""

    NOT_AN_IMAGE = auto()
    CUT_IN_HALF = auto()
    DECOMPRESSION_BOMB = auto()
    WRONG_SIZE = auto()


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A 200 without a picture. `content` is what stands where the picture would be."""

    finish_reason: str | None = None
    finish_message: str | None = None
    block_reason: str | None = None
    text: str | None = None
    content: Literal["empty", "parts_null", "role_only", "null", "missing"] = "empty"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is None is as the model has it."""

    latency: Latency = NO_LATENCY
    error: ErrorFactory | None = None
    error_in_list: bool = False
    front_end_error: bool = False
    refusal: Refusal | None = None
    no_candidates: bool = False
    wire: Wire = Wire.WHOLE
    mime_type: str | None = None
    claimed_mime_type: str | None = None
    test_card: bool = False
    file_bytes: int | None = None
    damage: Damage | None = None
    signature_bytes: int = 0
    text_before: bool = False
    text_after: bool = False
    thought_text: bool = False
    flagged_drafts: int = 0
    unflagged_drafts: int = 0

    @property
    def makes_picture(self) -> bool:
        """Whatever then becomes of it on the wire."""
        return not (self.error or self.front_end_error or self.refusal or self.no_candidates)
