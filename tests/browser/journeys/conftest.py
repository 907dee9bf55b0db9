"""Each journey is walked with scripts and without. With them it goes by the keyboard alone, and where a mouse may do
something else, by that too."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from httpx2 import AsyncClient

from tests.browser.conftest import Opener, fixture
from tests.browser.journeys.hands import Hand, Keyboard, Mouse
from tests.browser.journeys.walk import Walk
from tests.browser.site import Site
from tests.people import Person, sign_up


@dataclass(frozen=True)
class Way:
    name: str
    hand: type[Hand] = Mouse
    has_scripts: bool = True


WAYS = [Way("keyboard", hand=Keyboard), Way("no-scripts", has_scripts=False)]
by_mouse_too = pytest.mark.parametrize("way", [*WAYS, Way("mouse")], ids=lambda way: way.name)


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@fixture
async def client(site: Site) -> AsyncIterator[AsyncClient]:
    """What programs say to the same service."""
    async with AsyncClient(base_url=site.url, timeout=30) as client:
        yield client


@pytest.fixture
def address() -> str:
    """That nobody has an account with."""
    return f"ada.{secrets.token_hex(4)}@example.com"


@fixture
async def ada(client: AsyncClient, address: str) -> Person:
    """Has an account of this journey's own."""
    return await sign_up(client, address)


@fixture
async def stranger(opened: Opener, way: Way) -> AsyncIterator[Walk]:
    """Has never been here."""
    async with opened(java_script_enabled=way.has_scripts) as context:
        page = await context.new_page()
        walk = Walk(page, way.hand(page), way.has_scripts)
        yield walk
        assert walk.faults == []


@fixture
async def walk(stranger: Walk, site: Site, ada: Person) -> Walk:
    """Of ada, who is logged in."""
    await stranger.be(ada, site)
    return stranger
