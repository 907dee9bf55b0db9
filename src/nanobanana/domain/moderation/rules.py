"""How prompts are held against the operator's word list, and how much slower an account gets that is refused often."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nanobanana.domain.plans.errors import UnusableFileError

_LONGEST_TERM = 200
# An account on a plan without a limit an hour is slowed as though it had this one.
_UNLIMITED_IMAGES_PER_HOUR = 1_000
# What can be seen nowhere although it is not one of Unicode's format characters (Cf): joiners, fillers and selectors.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for start, end in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(start, end + 1)
}
# 150 bytes each. What else comes is looked up again each time.
_KEPT_SPELLINGS = 10_000

Words = tuple[str, ...]


class Terms:
    """Compiled: what most prompts cost is their words, and two looks whether they meet a set."""

    def __init__(self, terms: Iterable[Words]) -> None:
        every = set(terms)
        self._number = len(every)
        self._words = {term[0] for term in every if len(term) == 1}
        self._phrases = {term for term in every if len(term) > 1}
        # By their first word.
        self._lengths: dict[str, set[int]] = {}
        for phrase in self._phrases:
            self._lengths.setdefault(phrase[0], set()).add(len(phrase))

    def __len__(self) -> int:
        return self._number

    def are_in(self, text: str) -> bool:
        """Whether one of them is, in whole words."""
        if not self._number:
            return False
        words = words_of(text)
        if not self._words.isdisjoint(words):
            return True
        return not self._lengths.keys().isdisjoint(words) and self._phrase_is_in(words)

    def _phrase_is_in(self, words: Sequence[str]) -> bool:
        return any(
            tuple(words[at : at + length]) in self._phrases
            for at, word in enumerate(words)
            for length in self._lengths.get(word, ())
        )


class _Spellings(dict[int, str]):
    """By code point: what stands for a character. Nothing for what cannot be seen, a space for what separates words,
    and itself apart for what is no part of a word, so that `c++` is not `c`."""

    def __missing__(self, code: int) -> str:
        spelling = _spelling(chr(code))
        if len(self) < _KEPT_SPELLINGS:
            self[code] = spelling
        return spelling


def words_of(text: str) -> list[str]:
    """In one form for all spellings: `Bad-WORD`, `bad_word` and `bad  word` are the same two words."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_SPELLINGS)
    return unicodedata.normalize("NFKC", folded).split()


def read_terms(file: Path) -> Terms:
    """One term a line; what follows a `#` at its beginning or after a blank is a comment. Raises UnusableFileError,
    which names the lines and repeats no term."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UnusableFileError(file, [f"cannot be read: {error.strerror}"]) from None
    terms: list[Words] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            terms += _terms_of(line)
        except ValueError as error:
            problems.append(f"line {number} {error}")
    if problems:
        raise UnusableFileError(file, problems)
    return Terms(terms)


def images_per_hour(usual: int | None, *, refusals: int, refusals_per_day: int) -> int | None:
    """From half of the day's refusals on an account goes at a tenth of its plan's speed, until the day ends."""
    if refusals * 2 < refusals_per_day:
        return usual
    return max(1, (_UNLIMITED_IMAGES_PER_HOUR if usual is None else usual) // 10)


def _terms_of(line: bytes) -> Iterator[Words]:
    """None of an empty line. Raises ValueError."""
    try:
        text = line.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    term = _without_comment(text).strip()
    if not term:
        return
    if len(term) > _LONGEST_TERM:
        raise ValueError(f"is longer than {_LONGEST_TERM} characters")
    words = tuple(words_of(term))
    if not any(character.isalnum() for word in words for character in word):
        raise ValueError("has no letter and no digit")
    yield words


def _without_comment(line: str) -> str:
    if line.startswith("#"):
        return ""
    for blank in " \t":
        line = line.partition(f"{blank}#")[0]
    return line


def _spelling(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or character in _INVISIBLE:
        return ""
    if category in {"Pd", "Pc", "Cc"} or character.isspace() or character == "\u2212":  # the minus sign
        return " "
    return character if category[0] in "LMN" else f" {character} "


_SPELLINGS = _Spellings()
