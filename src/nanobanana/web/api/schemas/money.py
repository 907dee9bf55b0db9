from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from nanobanana.kit.money import MICRO

_SMALLEST = Decimal("0.000001")
_MOST_USD = 1_000_000


def _in_whole_micro_usd(usd: float) -> float:
    if Decimal(repr(usd)) % _SMALLEST:
        raise ValueError("This must have 6 decimals at most.")
    return usd


# An amount that somebody sends: a JSON number, as it is written.
Usd = Annotated[
    float,
    Field(gt=0, le=_MOST_USD, allow_inf_nan=False, examples=[25]),
    AfterValidator(_in_whole_micro_usd),
]


def usd(micro_usd: int) -> float:
    """Dollars for an answer: a double holds any such sum below a billion exactly enough to print its micro-dollars."""
    return micro_usd / MICRO


def usd_or_none(micro_usd: int | None) -> float | None:
    return None if micro_usd is None else usd(micro_usd)


def micro_usd(usd: float) -> int:
    return int(Decimal(repr(usd)) * MICRO)
