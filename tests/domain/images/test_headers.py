from datetime import UTC, datetime

import pytest

from nanobanana.domain.images import headers
from nanobanana.domain.images.names import new_name, thumbnail
from nanobanana.kit.ids import first_id

STEM = new_name(first_id("gen", datetime(2026, 11, 28, 18, 15, 30, 999_000, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("name", "type", "shown"),
    [
        (f"{STEM}.png", "image/png", "nanobanana-2026-11-28-181530.png"),
        (f"{STEM}-2.jpg", "image/jpeg", "nanobanana-2026-11-28-181530.jpg"),
        (thumbnail(STEM), "image/webp", "nanobanana-2026-11-28-181530-512.webp"),
    ],
)
def test_a_picture_is_called_by_the_second_of_its_order_wherever_it_lies(
    name: str, type: str, shown: str
) -> None:
    for told in (headers.of_stored(name, None), headers.of_served(name, left_s=None)):
        assert told["Content-Type"] == type
        assert told["Content-Disposition"] == f'inline; filename="{shown}"'


def test_what_is_no_name_of_ours_is_told_nothing() -> None:
    with pytest.raises(ValueError, match="no name of ours"):
        headers.of_stored(f"{STEM}.html", None)
