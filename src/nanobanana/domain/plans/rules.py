"""The plan table and the cost table: reading them, and what an image costs and earns."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from nanobanana.domain.plans.errors import UnusableFileError
from nanobanana.domain.plans.types import ModelCost, ModelCosts, Plan

DEFAULT_PLANS = Path(__file__).parent / "default_plans.toml"
DEFAULT_MODEL_COSTS = Path(__file__).parent / "default_model_costs.toml"

_MICRO = 1_000_000

_Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]
_Limit = Annotated[int, Field(ge=1, le=2**31 - 1)]
_PlanName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _PlanTable(_Table):
    price_usd_per_month: _Usd | int = 0
    price_usd_per_image: _Usd | int = 0
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
    usd_per_image: _Usd | int
    usd_per_million_tokens_in: _Usd | int = 0
    usd_per_million_tokens_out: _Usd | int = 0
    tokens_per_image: Annotated[int, Field(ge=0)] = 0


Parsed = TypeVar("Parsed")


def read_plans(file: Path) -> Mapping[str, Plan]:
    """The plans by name. Raises UnusableFileError."""
    tables = _parsed(file, TypeAdapter(dict[_PlanName, _PlanTable]))
    if "free" not in tables:
        raise UnusableFileError(file, ["there must be a plan [free]: new accounts are on it"])
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
    tables = _parsed(file, TypeAdapter(dict[str, _CostTable]))
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
    return cost.micro_usd_per_image - (-tokens // _MICRO)


def margin_micro_usd(plan: Plan, *, micro_usd_per_image: int) -> int | None:
    """What is left of a plan when it is fully used, of a month or, where images are paid one by one, of an image.

    None where no limit says what full use is."""
    if plan.price_micro_usd_per_image:
        return plan.price_micro_usd_per_image - micro_usd_per_image
    if plan.images_per_month is None:
        return None
    return plan.price_micro_usd_per_month - plan.images_per_month * micro_usd_per_image


def _parsed(file: Path, shape: TypeAdapter[Parsed]) -> Parsed:
    try:
        return shape.validate_python(tomllib.loads(file.read_text(), parse_float=Decimal))
    except OSError as error:
        raise UnusableFileError(file, [f"cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableFileError(file, [f"is not TOML: {error}"]) from None
    except ValidationError as error:
        raise UnusableFileError(file, [_sentence(problem) for problem in error.errors()]) from None


def _sentence(problem: Any) -> str:
    where = [str(part) for part in problem["loc"] if part not in {"decimal", "int"}]
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"[{where[0]}] {'.'.join(where[1:])}: {message}".replace("] :", "]:") if where else message


def _micro(usd: Decimal | int) -> int:
    return int(usd * _MICRO)
