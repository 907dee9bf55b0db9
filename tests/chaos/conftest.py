"""Short in `./nb test`; `./nb chaos` gives --full and shows the figures."""

from collections.abc import Iterator

import pytest
from rich.console import Console

from tests.chaos.figures import Figures, table_of

_shown = pytest.StashKey[list[Figures]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="minutes of chaos instead of seconds, with figures")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_shown] = []
    config.addinivalue_line("markers", "only_in_full: takes minutes, and is left out without --full")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full", default=False):
        return
    left_out = [item for item in items if item.get_closest_marker("only_in_full")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--full", default=False)


@pytest.fixture
def figures(request: pytest.FixtureRequest, *, full: bool) -> Iterator[Figures]:
    """What the test measures, against its bounds."""
    words = request.node.name.removeprefix("test_").replace("_", " ")
    figures = Figures(words, console=Console(soft_wrap=True) if full else None)
    if full:
        request.config.stash[_shown].append(figures)
    yield figures
    figures.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    del terminalreporter
    for figures in config.stash[_shown]:
        Console().print(table_of(figures))
