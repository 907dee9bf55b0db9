"""What must hold once the load of ./nb bench soak is over."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from nanobanana.domain.billing.service import Billing
from nanobanana.storage.database import Database

LIMITS = {"402 account_month", "402 free_pool", "402 spending_cap", "402 balance", "429 rate_limited"}

_HELD = """
    select (select coalesce(sum(held_images + held_micro_usd), 0) from account_months)
           + (select coalesce(sum(held_images), 0) from key_months)
           + (select coalesce(sum(held_images), 0) from free_days)
           + (select coalesce(sum(held_micro_usd), 0) from balances)
"""
_ABOVE_A_CAP = """
    select count(*) from account_months m join accounts a on a.id = m.account_id join plans p on p.name = a.plan
    where m.images > p.images_per_month or m.micro_usd > a.spending_cap_micro_usd
"""
# The load gives each order a prompt of its own.
_EXPLAINED = """
    select prompt, (count(*) filter (where state = 'succeeded') + sum(lost_attempts))::int as explained
    from generations group by 1
"""


@dataclass
class Seen:
    """What callers were told."""

    answers: Counter[str] = field(default_factory=Counter)
    replays: int = 0
    accepted: set[str] = field(default_factory=set)
    # By caller and idempotency key: the ids of the images that were handed over.
    images: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(
        self, response: aiohttp.ClientResponse, answer: dict[str, Any], *, sender: tuple[str, str] | None
    ) -> None:
        error = answer.get("error") or {}
        self.answers[f"{response.status} {error.get('limit') or error.get('code') or ''}".strip()] += 1
        self.replays += "Idempotent-Replayed" in response.headers
        if response.status in {200, 202}:
            self.accepted.add(answer["id"])
        if response.status == 200 and sender:
            self.images[sender].add(answer["id"])

    def with_status(self, status: int) -> int:
        return sum(count for answer, count in self.answers.items() if answer.startswith(str(status)))


@dataclass(frozen=True)
class Finding:
    name: str
    value: object
    is_well: bool = True


def none_of(name: str, count: int) -> Finding:
    return Finding(name, count, is_well=count == 0)


class Audit:
    def __init__(self, database: Database, *, images: Path, google: str) -> None:
        self._database = database
        self._images = images
        self._google = google

    async def findings(self, seen: Seen, *, settle_s: float) -> list[Finding]:
        settled_after_s = await self._settled_after_s(settle_s)
        rows = await self._database.statement("select id, state, image_name from generations", {})
        captured = [row for row in rows if row["state"] == "succeeded"]
        drawn, explained = await self._drawn(), await self._explained()
        names, files = {row["image_name"] for row in captured}, self._files()
        return [
            Finding("answers", seen.answers.total()),
            Finding("of them replayed", seen.replays),
            Finding("limits reached", ", ".join(sorted(LIMITS & seen.answers.keys()))),
            none_of("answers 500", seen.with_status(500)),
            Finding("nothing runs any more after s", settled_after_s, is_well=settled_after_s is not None),
            Finding("generations", len(rows)),
            Finding("taken over", await self._one("select count(*) from generations where attempt > 1")),
            none_of("accepted, then unknown", len(seen.accepted - {row["id"] for row in rows})),
            Finding("pictures drawn at Google", drawn.total()),
            Finding("captured", len(captured)),
            Finding("lost attempts", await self._one("select sum(lost_attempts) from generations")),
            none_of("drawn, neither captured nor recorded as lost", (drawn - explained).total()),
            none_of("captured without a file", sum(not files.get(name) for name in names)),
            none_of("files without a captured image", len(files.keys() - names)),
            Finding("idempotency keys with an image", len(seen.images)),
            none_of("idempotency keys with two images", sum(len(ids) > 1 for ids in seen.images.values())),
            none_of("still held", await self._one(_HELD)),
            none_of("accounts above a cap", await self._one(_ABOVE_A_CAP)),
            Finding("free images of the day", await self._one("select sum(images) from free_days")),
            none_of("differences between records", len(await Billing(self._database).reconcile())),
        ]

    async def _settled_after_s(self, within_s: float) -> float | None:
        """How long it took until nothing ran any more; None when that took too long."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            if not await self._one("select count(*) from generations where state in ('queued', 'running')"):
                return round(time.monotonic() - began, 1)
            await asyncio.sleep(0.5)
        return None

    async def _drawn(self) -> Counter[str]:
        """Pictures that Google made for each prompt, whoever received them."""
        headers, address = {"x-goog-api-key": "sandbox"}, f"{self._google}/_sandbox/calls"
        async with aiohttp.ClientSession(headers=headers) as http, http.get(address) as answer:
            calls = (await answer.json())["calls"]
        return Counter(
            call["body"]["contents"][0]["parts"][0]["text"] for call in calls if call["made_picture"]
        )

    async def _explained(self) -> Counter[str]:
        rows = await self._database.statement(_EXPLAINED, {})
        return Counter({row["prompt"]: row["explained"] for row in rows})

    def _files(self) -> dict[str, int]:
        """Their sizes, by image; a half-written one is called `<name>.<ending>#1`."""
        sizes = {file.relative_to(self._images): file.stat().st_size for file in self._images.rglob("*.*")}
        return {str(file).partition(".")[0]: size for file, size in sizes.items()}

    async def _one(self, query: str) -> Any:
        (row,) = await self._database.statement(query, {})
        return next(iter(row.values()))


def report(console: Console, findings: list[Finding], seen: Seen) -> list[str]:
    """Prints everything; gives what is wrong."""
    table = Table(show_header=False)
    for finding in findings:
        table.add_row(finding.name, str(finding.value), "" if finding.is_well else "WRONG")
    console.print(table)
    answers = ", ".join(f"{count} x {answer}" for answer, count in seen.answers.most_common())
    console.print(f"Answers: {answers}")
    return [f"{finding.name}: {finding.value}" for finding in findings if not finding.is_well]
