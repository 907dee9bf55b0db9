from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanobanana.integrations.google import long_strings

LONG = "A" * (long_strings.LONG + 1)

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.text()
    | st.sampled_from([LONG, LONG + "é", LONG + '\\"']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def _restored(value: Any, answer: long_strings.Answer) -> Any:
    match value:
        case dict():
            return {key: _restored(item, answer) for key, item in value.items()}
        case list():
            return [_restored(item, answer) for item in value]
        case str() if value in answer.long_strings:
            return bytes(answer.long_strings[value]).decode()
    return value


@given(documents, st.sampled_from([0, orjson.OPT_INDENT_2]))
def test_with_its_long_strings_back_it_is_what_a_parser_reads(document: object, option: int) -> None:
    body = orjson.dumps(document, option=option)

    answer = long_strings.parse(body)

    assert _restored(answer.document, answer) == orjson.loads(body)


def test_only_long_strings_without_escapes_are_left_in_the_body() -> None:
    short, escaped = "A" * long_strings.LONG, LONG + "\n"

    answer = long_strings.parse(orjson.dumps([short, LONG, escaped]))

    assert isinstance(answer.document, list)
    assert [value in answer.long_strings for value in answer.document] == [False, True, False]


@pytest.mark.parametrize(
    "body", [b"", b'"', b'{"a": "' + LONG.encode(), b'{"a": "' + LONG.encode() + b'\\"', b'["\\']
)
def test_what_breaks_off_is_no_json(body: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        long_strings.parse(body)
