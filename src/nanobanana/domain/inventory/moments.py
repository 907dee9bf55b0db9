"""Streams in the order of time, taken a millisecond at a time: what of rows and files has the same one is little,
however much there is of a day."""

from collections.abc import AsyncIterator, Iterable
from typing import Generic, Protocol, TypeVar


class Dated(Protocol):
    @property
    def milliseconds(self) -> int: ...


Item = TypeVar("Item", bound=Dated)


class Moments(Generic[Item]):
    def __init__(self, items: AsyncIterator[Item]) -> None:
        self._items = items
        self._head: Item | None = None

    async def next(self) -> int | None:
        """The moment of the next item; None when there is none."""
        if self._head is None:
            self._head = await anext(self._items, None)
        return self._head.milliseconds if self._head else None

    async def take(self, moment: int) -> list[Item]:
        """All items up to a moment."""
        taken = []
        while (next_moment := await self.next()) is not None and next_moment <= moment:
            assert self._head is not None  # noqa: S101  what next() says
            taken.append(self._head)
            self._head = None
        return taken


def earliest(moments: Iterable[int | None]) -> int | None:
    return min((moment for moment in moments if moment is not None), default=None)
