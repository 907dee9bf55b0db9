import re
import zlib

from hypothesis import given
from hypothesis import strategies as st

from nanobanana.domain.api_keys import rules
from nanobanana.kit import base62


def test_a_key_is_prefix_30_random_characters_and_the_checksum_of_both() -> None:
    key = rules.new_key("live")

    assert re.fullmatch(r"nb_live_[0-9A-Za-z]{36}", key)
    assert key[-6:] == base62.encode(zlib.crc32(key[:-6].encode()), 6)
    assert rules.is_well_formed(key)


@given(st.integers(0, 43), st.sampled_from(base62.ALPHABET))
def test_any_single_wrong_character_is_noticed(position: int, character: str) -> None:
    key = rules.new_key("test")
    typo = key[:position] + character + key[position + 1 :]

    assert rules.is_well_formed(typo) == (typo == key)


@given(st.text())
def test_no_other_text_is_taken_for_a_key(text: str) -> None:
    assert not rules.is_well_formed(text)


def test_keys_and_secrets_make_different_hashes() -> None:
    first, second = rules.new_key("live"), rules.new_key("live")

    hashes = {rules.hash_key(first, "a"), rules.hash_key(second, "a"), rules.hash_key(first, "b")}
    assert len(hashes) == 3


@given(st.integers(0, 62**6 - 1), st.integers(0, 62**6 - 1))
def test_base62_sorts_like_the_numbers(one: int, other: int) -> None:
    assert (base62.encode(one, 6) < base62.encode(other, 6)) == (one < other)
