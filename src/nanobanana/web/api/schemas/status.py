from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, Field

from nanobanana.domain.status.types import Component, Condition, Part, ServiceStatus


class ComponentStatus(BaseModel):
    name: Part = Field(
        description="`images`: whether a model can be reached; degraded also while pictures are not stored but come in the "
        "answers (`stored` false). `api`: accounts, keys and limits; degraded while limits are "
        "stricter and less exact"
    )
    status: Condition
    since: datetime | None = Field(
        description="When that began; null: it has been so for as long as is known"
    )

    @classmethod
    def of(cls, component: Component) -> Self:
        return cls(name=component.name, status=component.condition, since=_moment(component.since))


class PublicStatus(BaseModel):
    status: Condition = Field(description="The worst of the components'")
    components: list[ComponentStatus]
    waiting: int | None = Field(
        description="Images that wait for a model; null: unknown, without the database"
    )
    next_try_at: datetime | None = Field(
        description="From then on the next image asks a model that is shut; null: none is, or one is being asked"
    )

    @classmethod
    def of(cls, status: ServiceStatus) -> Self:
        return cls(
            status=status.condition,
            components=[ComponentStatus.of(component) for component in status.components],
            waiting=status.waiting,
            next_try_at=_moment(status.next_try_at),
        )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
