"""What `GET /v1/usage` tells of some days, as charts and as a table of the same figures."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from nanobanana.domain.usage.types import UsageDay
from nanobanana.kit.money import MICRO
from nanobanana.web.dashboard.charts import Chart, Series, stacked

# As many colours as can be told apart.
_NAMED_KEYS = 6
_STEPS_OF_MISSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`of_keys`: the images of each series of the chart."""

    of_keys: Sequence[int]
    images: int
    failed: int
    blocked: int
    micro_usd: int

    @property
    def missed(self) -> int:
        return self.failed + self.blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageByDay:
    """`rows`: newest first; days without use are left out."""

    images: Chart
    misses: Chart
    rows: Sequence[tuple[date, Figures]]
    total: Figures
    today: Figures


def busiest_keys(rows: Sequence[UsageDay]) -> list[str]:
    """Those with bars of their own, the one with the most images first."""
    images: Counter[str] = Counter()
    for row in rows:
        images[row["api_key_id"]] += row["images"]
    return [id for id, number in images.most_common(_NAMED_KEYS) if number]


def usage_by_day(
    rows: Sequence[UsageDay], *, names: Mapping[str, str], first: date, last: date
) -> UsageByDay:
    """`names`: of the busiest keys, by id and in their order; the other keys are one series."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    by_day: dict[date, list[UsageDay]] = defaultdict(list)
    for row in rows:
        by_day[row["day"]].append(row)
    figures = {day: _figures(by_day[day], names) for day in days}
    series = [
        Series(name=name, tone=f"tone-{n + 1}", values=[figures[day].of_keys[n] for day in days])
        for n, name in enumerate(names.values())
    ]
    others = Series(name="Other keys", tone="tone-others", values=[figures[day].of_keys[-1] for day in days])
    misses = [
        Series(name="Failed", tone="tone-failed", values=[figures[day].failed for day in days]),
        Series(name="Refused", tone="tone-refused", values=[figures[day].blocked for day in days]),
    ]
    return UsageByDay(
        images=stacked(days, [*series, others] if others.total else series),
        misses=stacked(days, misses, steps=_STEPS_OF_MISSES),
        rows=[(day, figures[day]) for day in reversed(days) if by_day[day]],
        total=_figures(rows, names),
        today=figures[last],
    )


def _figures(rows: Sequence[UsageDay], names: Mapping[str, str]) -> Figures:
    of_keys = dict.fromkeys(names, 0)
    for row in rows:
        if row["api_key_id"] in of_keys:
            of_keys[row["api_key_id"]] += row["images"]
    images = sum(row["images"] for row in rows)
    return Figures(
        of_keys=[*of_keys.values(), images - sum(of_keys.values())],
        images=images,
        failed=sum(row["failed"] for row in rows),
        blocked=sum(row["blocked"] for row in rows),
        micro_usd=round(sum(row["amount_usd"] for row in rows) * MICRO),
    )
