"""The plan table and the cost table: reading them, and what an image costs and earns."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from nanobanana.domain.plans.errors import UnusableFileError
from nanobanana.domain.plans.types import ModelCost, ModelCosts, Plan
from nanobanana.kit.money import MICRO

DEFAULT_PLANS = Path(__file__).parent / "default_plans.toml"
DEFAULT_MODEL_COSTS = Path(__file__).parent / "default_model_costs.toml"


_MOST_USD = 1_000_000
_MOST_IMAGES = 2**31 - 1


def _dollars(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise ValueError("must be a number of US dollars, as in 9 or 0.02")
    if not 0 <= value <= _MOST_USD:
        raise ValueError(f"must be from 0 to {_MOST_USD}")
    if Decimal(value) * MICRO % 1:
        raise ValueError("must have 6 decimals at most")
    return Decimal(value)


def _whole(value: object, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST_IMAGES:
        raise ValueError(f"must be a whole number from {least} to {_MOST_IMAGES}")
    return value


def _plan_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", value):
        raise ValueError("a plan's name is up to 32 of a-z, 0-9, - and _, and begins with a letter")
    return value


_Usd = Annotated[Decimal, BeforeValidator(_dollars)]
_Limit = Annotated[int, BeforeValidator(partial(_whole, least=1))]
_Tokens = Annotated[int, BeforeValidator(partial(_whole, least=0))]
_PlanName = Annotated[str, AfterValidator(_plan_name)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _PlanTable(_Table):
    price_usd_per_month: _Usd = Decimal(0)
    price_usd_per_image: _Usd = Decimal(0)
    images_per_month: _Limit | None = None
    images_per_hour: _Limit | None = None
    images_in_flight: _Limit | None = None
    retention_days: _Limit | None = None

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if self.price_usd_per_month and self.price_usd_per_image:
            raise ValueError("a plan is paid by the month or by the image, not both")
        return self


class _CostTable(_Table):
    usd_per_image: _Usd
    usd_per_million_tokens_in: _Usd = Decimal(0)
    usd_per_million_tokens_out: _Usd = Decimal(0)
    tokens_per_image: _Tokens = 0


Parsed = TypeVar("Parsed")


def read_plans(file: Path) -> Mapping[str, Plan]:
    """The plans by name. Raises UnusableFileError."""
    tables = _parsed(file, TypeAdapter(dict[_PlanName, _PlanTable]), needs={"free": "new accounts are on it"})
    return {
        name: Plan(
            name=name,
            price_micro_usd_per_month=_micro(table.price_usd_per_month),
            price_micro_usd_per_image=_micro(table.price_usd_per_image),
            images_per_month=table.images_per_month,
            images_per_hour=table.images_per_hour,
            images_in_flight=table.images_in_flight,
            retention_days=table.retention_days,
        )
        for name, table in tables.items()
    }


def read_model_costs(file: Path) -> ModelCosts:
    """What an image costs, by model. Raises UnusableFileError."""
    tables = _parsed(file, TypeAdapter(dict[str, _CostTable]), needs={})
    return {
        model: ModelCost(
            micro_usd_per_image=_micro(table.usd_per_image),
            micro_usd_per_million_tokens_in=_micro(table.usd_per_million_tokens_in),
            micro_usd_per_million_tokens_out=_micro(table.usd_per_million_tokens_out),
            tokens_per_image=table.tokens_per_image,
        )
        for model, table in tables.items()
    }


def cost_micro_usd(cost: ModelCost, *, input_tokens: int, output_tokens: int) -> int:
    """Of one image: its price, the prompt, and the thinking around it; rounded up."""
    beside = max(0, output_tokens - cost.tokens_per_image)
    tokens = (
        input_tokens * cost.micro_usd_per_million_tokens_in + beside * cost.micro_usd_per_million_tokens_out
    )
    return cost.micro_usd_per_image - (-tokens // MICRO)


def margin_micro_usd(plan: Plan, *, micro_usd_per_image: int) -> int | None:
    """What is left of a plan when it is fully used, of a month or, where images are paid one by one, of an image.

    None where no limit says what full use is."""
    if plan.price_micro_usd_per_image:
        return plan.price_micro_usd_per_image - micro_usd_per_image
    if plan.images_per_month is None:
        return None
    return plan.price_micro_usd_per_month - plan.images_per_month * micro_usd_per_image


def _parsed(file: Path, shape: TypeAdapter[Parsed], *, needs: Mapping[str, str]) -> Parsed:
    """`needs`: tables that must be there, and why."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise UnusableFileError(file, [f"cannot be read: {error.strerror}"]) from None
    except ValueError as error:  # no UTF-8, no TOML, a number of thousands of digits
        raise UnusableFileError(file, [f"is not TOML: {error}"]) from None
    problems = [f"there is no [{name}], but {why}" for name, why in needs.items() if name not in tables]
    try:
        parsed = shape.validate_python(tables)
    except ValidationError as error:
        problems += [_sentence(problem) for problem in error.errors()]
    if problems:
        raise UnusableFileError(file, problems)
    return parsed


def _sentence(problem: Any) -> str:
    table, *field = [str(part) for part in problem["loc"] if part != "[key]"]
    return ": ".join([" ".join([f"[{table}]", *field]), _what_is_wrong(problem)])


def _what_is_wrong(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "there is no such field"
        case "missing":
            return "must be given"
        case "model_type":
            return "must be a table"
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")


def _micro(usd: Decimal) -> int:
    return int(usd * MICRO)
