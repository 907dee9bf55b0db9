from datetime import UTC, datetime, timedelta

import pytest

from nanobanana.kit import base62
from nanobanana.kit.ids import first_id, new_id


def test_ids_sort_behind_the_first_id_of_every_earlier_moment_and_before_that_of_every_later_one() -> None:
    id, now = new_id("gen"), datetime.now(UTC)

    assert first_id("gen", now - timedelta(seconds=5)) < id < first_id("gen", now + timedelta(seconds=5))


def test_a_millisecond_later_is_another_first_id_of_the_same_length() -> None:
    moment = datetime(2026, 11, 22, 11, 30, 53, 425_000, tzinfo=UTC)
    ids = [first_id("gen", moment + timedelta(milliseconds=step)) for step in (-1, 0, 1)]

    assert ids == sorted(set(ids))
    assert {len(id) for id in ids} == {len(new_id("gen"))}


@pytest.mark.parametrize("width", [7, 8, 22])
def test_a_number_is_read_back_from_its_text_and_nothing_else_is_one(width: int) -> None:
    for number in (0, 61, 62, 62**width - 1):
        assert base62.decode(base62.encode(number, width)) == number
    with pytest.raises(ValueError, match="no base62"):
        base62.decode("-" * width)
