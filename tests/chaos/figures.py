"""What a scenario of chaos measures, each figure with the bound it must keep."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Item = TypeVar("Item")


@dataclass(frozen=True)
class Figure:
    name: str
    value: object
    bound: str = ""
    is_well: bool = True


class Figures:
    """`console` None: nobody watches."""

    def __init__(self, scenario: str, *, console: Console | None) -> None:
        self.scenario = scenario
        self.all: list[Figure] = []
        self.has_ended = False
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, disable=console is None)
        self._progress.start()
        if console:
            console.print(f"\n[bold]{scenario}")

    def say(self, text: str) -> None:
        if self._console:
            self._console.print(text, markup=False)

    def note(self, name: str, value: object) -> None:
        self.all.append(Figure(name, value))

    def expect(self, name: str, value: object, *, is_: object) -> None:
        self.all.append(Figure(name, value, f"= {is_}", is_well=value == is_))

    def expect_at_most(self, name: str, value: float, bound: float) -> None:
        self.all.append(Figure(name, round(value, 2), f"≤ {bound:g}", is_well=value <= bound))

    async def wait(self, what: str, *, seconds: float) -> None:
        """While the bar moves on."""
        began, bar = time.monotonic(), self._progress.add_task(what, total=seconds)
        while (passed := time.monotonic() - began) < seconds:
            await asyncio.sleep(min(0.2, seconds - passed))
            self._progress.update(bar, completed=time.monotonic() - began)

    def track(self, what: str, items: Sequence[Item]) -> Iterable[Item]:
        return self._progress.track(items, description=what)

    def hold(self) -> None:
        """Every figure is within its bound."""
        self.has_ended = True
        missed = [figure for figure in self.all if not figure.is_well]
        assert not missed, missed

    def end(self) -> None:
        self._progress.stop()


def table_of(scenario: Figures) -> Table:
    table = Table("figure", "value", "bound", "", title=f"\n{scenario.scenario}", title_justify="left")
    for figure in scenario.all:
        verdict = ("PASS" if figure.is_well else "FAIL") if figure.bound else ""
        table.add_row(figure.name, str(figure.value), figure.bound, verdict)
    if not scenario.has_ended:
        table.add_row("it ran to its end", "no", "yes", "FAIL")
    return table
