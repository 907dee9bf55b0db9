from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Response

from nanobanana.domain.plans.types import Plan
from nanobanana.web.api.schemas.status import PublicStatus
from nanobanana.web.dashboard.visitors import Anybody
from nanobanana.web.dependencies import BaseUrl, ServicesDep
from nanobanana.web.pages import page, usd
from nanobanana.web.site import status, tryout

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A plan as the price list has it."""

    name: str
    price: str
    unit: str
    gives: list[str]
    is_first: bool


@router.get("/")
async def show_landing(visitor: Anybody, services: ServicesDep, base_url: BaseUrl) -> Response:
    standing = PublicStatus.of(services.status.now()).status
    return page(
        "site/landing.html",
        visitor=visitor,
        exchange=tryout.first_exchange(base_url),
        form=tryout.FIRST,
        problems={},
        sizes=tryout.SIZES,
        styles=tryout.STYLES,
        offers=[_offer(plan) for plan in services.plans.values()],
        standing=standing,
        headline=status.HEADLINES[standing],
    )


def _offer(plan: Plan) -> _Offer:
    price, unit = _price(plan)
    return _Offer(
        name=plan.name, price=price, unit=unit, gives=list(_gives(plan)), is_first=plan.name == "free"
    )


def _price(plan: Plan) -> tuple[str, str]:
    if plan.price_micro_usd_per_image:
        return usd(plan.price_micro_usd_per_image), "an image"
    if plan.price_micro_usd_per_month:
        return usd(plan.price_micro_usd_per_month).removesuffix(".00"), "a month"
    return "$0", "and no card"


def _gives(plan: Plan) -> Iterator[str]:
    if plan.images_per_month is not None:
        yield f"{plan.images_per_month:,} {_images(plan.images_per_month)} a month"
    elif plan.price_micro_usd_per_image:
        yield "from a balance, as long as it lasts"
    else:
        yield "as many images a month as you like"
    if plan.images_per_hour is not None:
        yield f"{plan.images_per_hour:,} an hour"
    else:
        yield "as many an hour as you like"
    if plan.images_in_flight is not None:
        yield f"{plan.images_in_flight:,} at a time"
    if plan.retention_days is not None:
        yield f"pictures stay {plan.retention_days:,} {'day' if plan.retention_days == 1 else 'days'}"
    else:
        yield "pictures stay for good"


def _images(number: int) -> str:
    return "image" if number == 1 else "images"
