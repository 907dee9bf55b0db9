from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from nanobanana.domain.plans.types import Plan
from nanobanana.storage.database import AsyncConnection, Database
from nanobanana.storage.tables import accounts, plans


async def put(connection: AsyncConnection, plan: Plan) -> None:
    values = {
        "price_micro_usd_per_month": plan.price_micro_usd_per_month,
        "price_micro_usd_per_image": plan.price_micro_usd_per_image,
        "images_per_month": plan.images_per_month,
        "images_per_hour": plan.images_per_hour,
        "images_in_flight": plan.images_in_flight,
        "retention_days": plan.retention_days,
        "is_free": plan.is_free,
    }
    statement = insert(plans).values(name=plan.name, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def in_force(database: Database) -> list[Plan]:
    rows = await database.statement(
        """
        select name, price_micro_usd_per_month, price_micro_usd_per_image, images_per_month, images_per_hour,
               images_in_flight, retention_days
        from plans order by price_micro_usd_per_image, price_micro_usd_per_month, name
        """,
        {},
    )
    return [Plan(**row) for row in rows]


async def in_use(connection: AsyncConnection, *, but: Iterable[str]) -> list[str]:
    """The plans beside these that accounts are on."""
    statement = select(plans.c.name).where(plans.c.name.not_in(list(but)))
    statement = statement.where(select(accounts.c.id).where(accounts.c.plan == plans.c.name).exists())
    return list((await connection.execute(statement.order_by(plans.c.name))).scalars())


async def discard(connection: AsyncConnection, *, but: Iterable[str]) -> None:
    await connection.execute(delete(plans).where(plans.c.name.not_in(list(but))))
