"""docs/google-faults.md as data: there is no other table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nanobanana_sandbox.scenarios import SCENARIOS, Scenario

_DOCUMENT = Path(__file__).parents[2] / "docs" / "google-faults.md"
ACCOUNTS = ("one account", "with a standby")


@dataclass(frozen=True)
class FaultTable:
    """`outcomes`: how each may be told from the others. `classes`: each with its scenarios. `alone` and `pairs`, by
    accounts and classes, have cells as they are written: outcome, calls, lost calls."""

    outcomes: Mapping[tuple[str, ...], str]
    classes: Mapping[str, list[str]]
    alone: Mapping[tuple[str, str], str]
    pairs: Mapping[tuple[str, str, str], str]

    def class_of(self, scenario: str) -> str:
        (found,) = (name for name, scenarios in self.classes.items() if scenario in scenarios)
        return found

    def after_one(self, accounts: str, fault: str) -> str:
        return self.alone[accounts, fault]

    def after_two(self, accounts: str, first: str, second: str) -> str:
        """Where the first ends the order, nothing comes of the second."""
        return self.pairs.get((accounts, first, second)) or self.alone[accounts, first]

    @property
    def goes_on(self) -> list[str]:
        """The classes after which Google is asked again."""
        return [name for name in self.classes if (ACCOUNTS[1], name, name) in self.pairs]


def read_fault_table() -> FaultTable:
    outcomes, classes, alone, *pairs = _tables(_DOCUMENT.read_text())
    return FaultTable(
        outcomes={tuple(facts): name for name, *facts in outcomes[1:]},
        classes={name: scenarios.split(", ") for name, scenarios, _ in classes[1:]},
        alone={
            (accounts, name): cell
            for name, *cells in alone[1:]
            for accounts, cell in zip(ACCOUNTS, cells, strict=True)
        },
        pairs={
            (accounts, first, second): cell
            for accounts, (head, *rows) in zip(ACCOUNTS, pairs, strict=True)
            for first, *cells in rows
            for second, cell in zip(head[1:], cells, strict=True)
        },
    )


def item(scenario: str) -> str:
    """As a script takes it; with the value that the sandbox takes by itself, where it has one."""
    row: Scenario = SCENARIOS[scenario]
    return row.name if row.default or row.value is None else row.example


def _tables(markdown: str) -> list[list[list[str]]]:
    """The rows of each table, the head first."""
    found = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    return [[_cells(line) for line in table.splitlines() if not line.startswith("|--")] for table in found]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
