"""Numbers as fixed-width base62 text whose byte order is the numbers' order."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}


def encode(number: int, width: int) -> str:
    """Two digits at a time: dividing long numbers is what costs."""
    pairs = []
    for _ in range(width // 2):
        number, pair = divmod(number, 62 * 62)
        pairs.append(_PAIRS[pair])
    if width % 2:
        number, digit = divmod(number, 62)
        pairs.append(ALPHABET[digit])
    if number:
        raise ValueError("number does not fit the width")
    return "".join(reversed(pairs))


def decode(text: str) -> int:
    """The number again. Raises ValueError for other characters."""
    number = 0
    even = text if len(text) % 2 == 0 else ALPHABET[0] + text
    try:
        for place in range(0, len(even), 2):
            number = number * (62 * 62) + _VALUES[even[place : place + 2]]
    except KeyError:
        raise ValueError(f"{text!r} is no base62") from None
    return number
