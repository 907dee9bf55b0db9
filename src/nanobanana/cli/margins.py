"""What each plan earns or loses when it is fully used, at what the first model takes for an image."""

from collections.abc import Iterator, Sequence

from nanobanana.domain.plans.rules import (
    DEFAULT_MODEL_COSTS,
    DEFAULT_PLANS,
    margin_micro_usd,
    read_model_costs,
    read_plans,
)
from nanobanana.domain.plans.types import Plan
from nanobanana.kit.money import in_dollars
from nanobanana.settings import Settings


def margins(settings: Settings) -> Sequence[tuple[Plan, int | None]]:
    """Micro-dollars of each plan, a month's or, where images are paid one by one, an image's; nothing when the model's
    cost is unknown. Raises UnusableFileError."""
    costs = read_model_costs(settings.model_costs_file or DEFAULT_MODEL_COSTS)
    cost = costs.get(settings.gemini_models[0])
    plans = read_plans(settings.plans_file or DEFAULT_PLANS)
    if cost is None:
        return []
    return [
        (plan, margin_micro_usd(plan, micro_usd_per_image=cost.micro_usd_per_image))
        for plan in plans.values()
    ]


def losses(settings: Settings) -> list[str]:
    """The plans that lose money at full use, as in "hobby -$7.80 a month"."""
    return [
        f"{plan.name} {_per(plan, margin)}"
        for plan, margin in margins(settings)
        if margin is not None and margin < 0
    ]


def margin_lines(settings: Settings) -> Iterator[str]:
    """For a person: every plan's margin at full use, and what that rests on."""
    model = settings.gemini_models[0]
    found = margins(settings)
    if not found:
        yield f"What {model} takes for an image is unknown: add it to MODEL_COSTS_FILE to see what plans earn."
        return
    yield f"Plans at full use, with the images of {model}:"
    for plan, margin in found:
        if margin is None:
            yield f"  {plan.name:<12}no limit of images a month: nobody knows"
        else:
            yield f"  {plan.name:<12}{_per(plan, margin)}{'   loses money' if margin < 0 else ''}"


def _per(plan: Plan, margin: int) -> str:
    per = "an image" if plan.price_micro_usd_per_image else "a month"
    return f"{in_dollars(margin)} {per}"
