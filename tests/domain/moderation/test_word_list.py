"""Which prompts a word list refuses, and which files are one."""

from pathlib import Path

import pytest

from nanobanana.domain.moderation.rules import read_terms
from nanobanana.domain.plans.errors import UnusableFileError


def is_refused(tmp_path: Path, prompt: str, *lines: str) -> bool:
    file = tmp_path / "terms.txt"
    file.write_text("\n".join(lines))
    return read_terms(file).are_in(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "bomb",
        "A BOMB, please",
        "(bomb)",
        "a bomb.",
        "draw\na\tbomb",
        "the bomb's fuse",
        "time_bomb",
        "bomb-like",
        "\uff42\uff4f\uff4d\uff42",
        "\U0001d401\U0001d40e\U0001d40c\U0001d401",
        "bo\u200bmb",
        "b\u00ado\u2060m\ufeffb",
        "bo\ufe0fmb",
        "bomb🙂",
    ],
)
def test_a_term_is_found_however_it_is_spelled(tmp_path: Path, prompt: str) -> None:
    assert is_refused(tmp_path, prompt, "Bomb")


@pytest.mark.parametrize("prompt", ["", "bombs", "a bombastic aquabomb", "bo mb", "b.o.m.b", "bömb", "🙂"])
def test_only_whole_words_are_found(tmp_path: Path, prompt: str) -> None:
    assert not is_refused(tmp_path, prompt, "bomb")


@pytest.mark.parametrize(
    "prompt",
    [
        "pipe bomb",
        "a Pipe-Bomb!",
        "pipe_bomb",
        "pipe \u00a0\n bomb",
        "pipe pipe \u2013 bomb",
        "pi\u200dpe bomb",
    ],
)
def test_a_phrase_is_found_whatever_simple_separators_stand_in_it(tmp_path: Path, prompt: str) -> None:
    for term in ("pipe bomb", "pipe-bomb", "PIPE_bomb", "pipe   bomb"):
        assert is_refused(tmp_path, prompt, term)


@pytest.mark.parametrize(
    "prompt", ["bomb pipe", "pipe, bomb", "pipe. Bomb", "pipe a bomb", "pipe", "bomb", "pipebomb"]
)
def test_a_phrase_is_its_words_in_a_row(tmp_path: Path, prompt: str) -> None:
    assert not is_refused(tmp_path, prompt, "pipe bomb")


@pytest.mark.parametrize(
    ("term", "found", "not_found"),
    [
        ("stra\u00dfe", "STRASSE", "stras"),
        ("ΣΟΦΟΣ", "σοφος", "σοφοσα"),
        ("caf\u00e9", "cafe\u0301", "cafe"),
        ("हिन्दी", "हिन्दी!", "हिन"),
        ("c++", "in C++.", "in c"),
        ("c#", "c# or not", "c"),
        ("o'neil", "O'Neil's", "o neil"),
        ("4chan", "4chan", "4 chan"),
    ],
)
def test_words_are_words_in_every_script_and_signs_are_signs(
    tmp_path: Path, term: str, found: str, not_found: str
) -> None:
    assert is_refused(tmp_path, found, term)
    assert not is_refused(tmp_path, not_found, term)


def test_comments_and_empty_lines_are_no_terms(tmp_path: Path) -> None:
    lines = ("\ufeff# of 2026", "", "   ", "  bomb   # see above", "# banana", "gun\t#")

    assert is_refused(tmp_path, "a bomb", *lines)
    assert is_refused(tmp_path, "a gun", *lines)
    for harmless in ("a banana", "see above", "of 2026", "#"):
        assert not is_refused(tmp_path, harmless, *lines)


def test_an_empty_list_refuses_nothing(tmp_path: Path) -> None:
    assert not is_refused(tmp_path, "a bomb", "# nothing yet")


def test_a_file_that_is_no_list_is_told_with_its_lines_and_without_its_terms(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_bytes(b"bomb\n\xff\xfe\n!!! ---\n" + b"x" * 200 + b"\n" + b"x" * 201 + b"\n")

    with pytest.raises(UnusableFileError) as caught:
        read_terms(file)

    assert caught.value.message.splitlines() == [
        f"{file}: line 2 is not UTF-8",
        f"{file}: line 3 has no letter and no digit",
        f"{file}: line 5 is longer than 200 characters",
    ]


@pytest.mark.parametrize("name", ["nothing.txt", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableFileError, match="cannot be read: "):
        read_terms(tmp_path / name)


def test_no_number_of_characters_fills_the_memory(tmp_path: Path) -> None:
    from nanobanana.domain.moderation import rules  # noqa: PLC0415

    every = "".join(chr(code) for code in range(0x20, 0x110000) if not 0xD800 <= code < 0xE000)

    assert is_refused(tmp_path, every + " bomb", "bomb")
    assert len(rules._SPELLINGS) == 10_000
