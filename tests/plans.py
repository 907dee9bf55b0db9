"""Plans of a test's own, with limits low enough to meet."""

import secrets

from nanobanana.domain.plans import repository
from nanobanana.domain.plans.types import Plan
from nanobanana.services import Services
from tests.people import Person

A_MONTH, AN_IMAGE = 9_000_000, 20_000


async def put_on_plan(
    services: Services,
    person: Person,
    *,
    month: int = A_MONTH,
    image: int = 0,
    images_per_month: int | None = None,
    images_per_hour: int | None = None,
    images_in_flight: int | None = None,
    retention_days: int | None = None,
) -> str:
    """Onto a new plan with these prices, in micro-dollars, and limits; gives its name."""
    plan = Plan(
        name=f"plan-{secrets.token_hex(4)}",
        price_micro_usd_per_month=0 if image else month,
        price_micro_usd_per_image=image,
        images_per_month=images_per_month,
        images_per_hour=images_per_hour,
        images_in_flight=images_in_flight,
        retention_days=retention_days,
    )
    async with services.database.begin() as connection:
        await repository.put(connection, plan)
    await services.billing.move(email=person.email, plan=plan.name)
    return plan.name
