"""Bars in proportion, an axis of round figures, and labels that fit, whatever the numbers are."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest

from nanobanana.web.dashboard.charts import COLUMN, HEIGHT, Chart, Series, round_ticks, stacked

TODAY = date(2026, 11, 28)


def days(number: int) -> list[date]:
    return [TODAY - timedelta(days=n) for n in reversed(range(number))]


def chart_of(*series: Sequence[int]) -> Chart:
    named = [Series(name=f"key {n}", tone="tone-1", values=values) for n, values in enumerate(series)]
    return stacked(days(len(series[0])), named)


def bars_of(path: str) -> list[tuple[int, int, int]]:
    """The columns in which they stand, from where to where in the units of the view box."""
    bars = re.findall(r"M(\d+) (\d+)h8V(\d+)h-8z", path)
    assert "".join("M{} {}h8V{}h-8z".format(*bar) for bar in bars) == path
    return [(int(x) // COLUMN, HEIGHT - int(low), HEIGHT - int(high)) for x, high, low in bars]


@pytest.mark.parametrize(
    ("highest", "steps", "ticks"),
    [
        (0, 5, [1, 0]),
        (1, 5, [1, 0]),
        (5, 5, [5, 4, 3, 2, 1, 0]),
        (6, 5, [6, 4, 2, 0]),
        (51, 5, [60, 40, 20, 0]),
        (99_999, 5, [100_000, 80_000, 60_000, 40_000, 20_000, 0]),
        (100_001, 5, [150_000, 100_000, 50_000, 0]),
        (3, 2, [4, 2, 0]),
    ],
)
def test_the_axis_has_round_figures_that_nothing_exceeds(highest: int, steps: int, ticks: list[int]) -> None:
    assert round_ticks(highest, steps=steps) == ticks


def test_bars_stand_upon_each_other_in_proportion() -> None:
    chart = chart_of([10, 0, 4], [10, 6, 0])

    assert chart.ticks == [20, 15, 10, 5, 0]
    assert bars_of(chart.bars[0]) == [(0, 0, 500), (2, 0, 200)]
    assert bars_of(chart.bars[1]) == [(0, 500, 1000), (1, 0, 300)]
    assert chart.lines == "M0 0H30M0 250H30M0 500H30M0 750H30M0 1000H30"
    assert [column.text for column in chart.columns] == ["26 Nov: 20", "27 Nov: 6", "28 Nov: 4"]
    assert ([series.total for series in chart.series], chart.total) == ([14, 16], 30)


def test_one_image_beside_a_hundred_thousand_is_seen_and_none_is_not() -> None:
    (bars,) = (bars_of(path) for path in chart_of([100_000, 1, 0]).bars)

    assert bars == [(0, 0, 1000), (1, 0, 12)]
    for number in (0, 1, 100_000):
        chart = chart_of([number])
        assert chart.ticks[0] == max(1, number)
        assert bars_of(chart.bars[0]) == ([(0, 0, 1000)] if number else [])


def test_days_without_any_key_have_an_empty_chart() -> None:
    chart = stacked(days(7), [])

    assert (chart.bars, chart.ticks, chart.total, len(chart.columns)) == ([], [1, 0], 0, 7)


@pytest.mark.parametrize("number", [1, 2, 7, 30, 90])
def test_labels_are_few_even_and_end_with_today(number: int) -> None:
    labels = chart_of([1] * number).labels

    assert 1 <= len(labels) <= 4
    assert labels[-1].text == "28 Nov"
    assert all(0 <= label.percent <= 100 for label in labels)
    places = [label.percent for label in labels]
    assert places == sorted(places)
    assert all(later - earlier > 20 for earlier, later in pairwise(places))
