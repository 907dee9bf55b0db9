from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nanobanana.domain.generation.types import Generation
from nanobanana.services import Services
from nanobanana.web.dashboard.pictures import charge_of, picture_of, shortened
from nanobanana.web.pages import _templates

NOW = datetime.now(UTC)
KEPT = Generation(
    id="gen_0000000000000000000000",
    api_key_id="key_0000000000000000000000",
    mode="live",
    prompt="a banana",
    size="1408x768",
    style="natural",
    format=None,
    state="succeeded",
    attempt=1,
    created_at=NOW,
    finished_at=NOW,
    image_name="2026/11/28/0Vq2kX9a0351xffvmzhinA5Ot7fOms",
    image_state="kept",
    image_format="jpeg",
    image_place="store",
    retention_s=None,
    expires_at=None,
    model="gemini",
    price_micro_usd=0,
    lost_attempts=0,
    error_code=None,
    error_message=None,
)
NONE = replace(KEPT, image_state=None, image_format=None, image_place=None)
TILE = _templates.from_string('{% from "components/picture.html" import tile %}{{ tile(picture) }}')


def test_a_kept_picture_is_shown_with_its_prompt_and_takes_its_room_before_it_comes(
    services: Services,
) -> None:
    picture = picture_of(KEPT, services.images)
    html = _tile(picture)

    assert picture.url == f"/images/{KEPT.image_name}.jpg"
    assert f'src="/thumbnails/{KEPT.image_name}_512.webp"' in html
    assert 'alt="a banana"' in html
    assert 'width="512" height="279"' in html
    assert 'loading="lazy"' in html
    assert f'href="/gallery/{KEPT.id}"' in html


def test_what_no_store_has_is_linked_to_all_the_same(services: Services) -> None:
    for place in ("waiting", "database"):
        picture = picture_of(replace(KEPT, image_place=place), services.images)
        assert picture.url == f"/images/{KEPT.image_name}.jpg"
        assert picture.thumbnail


@pytest.mark.parametrize(
    ("generation", "state"),
    [
        (replace(NONE, state="queued"), "Waiting"),
        (replace(NONE, state="running"), "Being made"),
        (replace(NONE, state="failed"), "Failed"),
        (replace(NONE, state="blocked"), "Refused"),
        (replace(NONE, state="cancelled"), "Cancelled"),
        (replace(NONE, state="expired"), "Waited too long"),
        (replace(KEPT, image_state="expired", prompt=""), "Expired"),
        (replace(KEPT, expires_at=NOW - timedelta(seconds=1)), "Expired"),
        (replace(KEPT, image_state="deleted", prompt=""), "Deleted"),
    ],
)
def test_where_there_is_no_picture_a_tile_says_why(
    services: Services, generation: Generation, state: str
) -> None:
    picture = picture_of(generation, services.images)
    html = _tile(picture)

    assert picture.url is None
    assert "<img" not in html
    assert state in html
    assert (generation.prompt or "Prompt deleted") in html


def test_the_charge_is_told_in_plain_words() -> None:
    paid = replace(KEPT, price_micro_usd=20_000)
    assert charge_of(KEPT) == "1 image"
    assert charge_of(paid) == "$0.02"
    assert charge_of(replace(paid, mode="test")) == "Free: a test image"
    assert charge_of(replace(paid, state="running")) == "$0.02, once it is made"
    blocked = replace(NONE, state="blocked", error_code="content_policy")
    assert charge_of(blocked) == "Not charged: refused by the content policy"


def test_a_long_prompt_is_shortened_to_a_line_and_nothing_in_it_is_markup(services: Services) -> None:
    assert len(shortened("x" * 4000)) == len(shortened("x y\n" * 1000)) == 160
    html = _tile(picture_of(replace(KEPT, prompt='"><script>'), services.images))
    assert "<script>" not in html
    assert 'dir="auto"' in html


def _tile(picture: object) -> str:
    return TILE.render(picture=picture)
