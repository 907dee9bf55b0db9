"""What holds for the look of every page: see pages.py."""

from itertools import product
from pathlib import Path

import pytest
from starlette.routing import compile_path

from nanobanana.app import create_app
from tests.browser.conftest import Opener
from tests.browser.contact_sheet import file_name
from tests.browser.member import Member
from tests.browser.pages import LOOKS, NO_PAGES, Look
from tests.browser.visit import SCHEMES, VIEWPORTS, Visit, begin_visit
from tests.people import Person
from tests.web.routes import page_routes

# Of HTML, style and scripts, with their headers, as they come over the wire to an empty cache.
BYTES = 60_000


def test_every_page_is_in_the_table() -> None:
    pages = {route.path for route in page_routes(create_app()) if "GET" in route.methods} - NO_PAGES
    looked_at = [look.path.partition("?")[0] for look in LOOKS]

    assert [page for page in pages if not any(compile_path(page)[0].match(path) for path in looked_at)] == []


@pytest.fixture
def people(member: Member, newcomer: Person) -> dict[str, Person | None]:
    return {"nobody": None, "newcomer": newcomer, "member": member.person}


async def pay(visit: Visit, look: Look, member: Member) -> None:
    answer = await visit.page.goto(look.path.format(**member.ids))
    assert answer
    assert answer.status == look.status
    if look.then:
        await look.then(visit.page)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_a_page_is_sound_for_everybody_in_light_and_dark_on_a_desk_and_in_a_hand(
    look: Look, opened: Opener, member: Member, people: dict[str, Person | None], screenshots: Path
) -> None:
    """No violation that axe knows, nothing wider than the screen, nothing refused by the policy or said in the console."""
    async with opened(as_=people[look.visitor]) as context:
        visit = await begin_visit(context)
        await pay(visit, look, member)
        problems: list[str] = []
        for device, scheme in product(VIEWPORTS, SCHEMES):
            await visit.turn_to(device, scheme)
            picture = screenshots / file_name(look.name, device, scheme)
            await visit.page.screenshot(path=picture, full_page=True)
            found = [*await visit.violations(scheme), *await visit.overflow()]
            problems += [f"{picture.name}: {problem}" for problem in found]

        assert not problems, "\n".join(problems)
        assert visit.complaints == []
        assert visit.bytes_without_images < BYTES
