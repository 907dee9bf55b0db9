"""Numbers of days as bars that stand upon each other, with an axis of round figures; `components/chart.html` draws it.

Bars are in the units of a view box that is stretched to the room there is; all text stays outside of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, count

HEIGHT = 1000
COLUMN = 10
_GAP = 1
# A day with little beside one with much still shows that it has something.
_LOWEST = 12
# As many as a phone has room for.
_LABELS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A number for each day. `tone` is the name of its colour."""

    name: str
    tone: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    text: str
    # Of its middle, from the left.
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    x: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`bars` are paths, one for each series; `ticks` begin with the highest, with a line of `lines` for each."""

    width: int
    series: Sequence[Series]
    bars: Sequence[str]
    ticks: Sequence[int]
    lines: str
    labels: Sequence[Label]
    columns: Sequence[Column]

    @property
    def total(self) -> int:
        return sum(series.total for series in self.series)


def stacked(days: Sequence[date], series: Sequence[Series], *, steps: int = 5) -> Chart:
    """The first series stands at the bottom; `steps`: of the axis, at most."""
    heights = [list(accumulate((one.values[at] for one in series), initial=0)) for at in range(len(days))]
    totals = [height[-1] for height in heights]
    ticks = round_ticks(max(totals, default=0), steps=steps)
    width = COLUMN * len(days)
    return Chart(
        width=width,
        series=series,
        bars=[
            "".join(_bar(at, height, number, ticks[0]) for at, height in enumerate(heights))
            for number in range(len(series))
        ],
        ticks=ticks,
        lines="".join(f"M0 {HEIGHT - HEIGHT * tick // ticks[0]}H{width}" for tick in ticks),
        labels=_labels(days),
        columns=[
            Column(x=COLUMN * at, text=f"{short(day)}: {total:,}")
            for at, (day, total) in enumerate(zip(days, totals, strict=True))
        ],
    )


def round_ticks(highest: int, *, steps: int) -> list[int]:
    """From the first round figure that nothing exceeds down to 0."""
    round_figures = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(figure for figure in round_figures if figure * steps >= highest)
    return [step * number for number in range(max(1, -(-highest // step)), -1, -1)]


def short(day: date) -> str:
    """`3 Aug`"""
    return f"{day.day} {day:%b}"


def _bar(at: int, heights: Sequence[int], number: int, top: int) -> str:
    """Of the series of that number on a day; `heights` begin with 0."""
    total = heights[-1]
    if heights[number] == heights[number + 1]:
        return ""
    tall = max(_LOWEST, HEIGHT * total / top)
    low, high = (HEIGHT - round(tall * heights[n] / total) for n in (number, number + 1))
    return f"M{COLUMN * at + _GAP} {high}h{COLUMN - 2 * _GAP}V{low}h-{COLUMN - 2 * _GAP}z"


def _labels(days: Sequence[date]) -> list[Label]:
    """Of today and of some days before, evenly."""
    every = -(-len(days) // _LABELS)
    return [
        Label(text=short(days[at]), percent=round(100 * (at + 0.5) / len(days), 2))
        for at in range(len(days) - 1, -1, -every)
    ][::-1]
