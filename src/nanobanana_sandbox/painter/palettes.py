"""Colours that go together, and the words in a prompt that call for them."""

from dataclasses import dataclass
from random import Random

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """`sky` runs from the zenith to the horizon, `land` from the farthest ridge to the nearest."""

    sky: tuple[str, ...]
    disc: str
    land: tuple[str, str]
    words: tuple[str, ...]
    starry: bool = False


PALETTES = (
    Palette(("#355c8f", "#7fb2c8", "#f6d9b8", "#ffe9c9"), "#fffaf0", ("#a8c4b8", "#1d4a4f"), ("morning", "day", "summer")),
    Palette(("#3a1f5d", "#a43c74", "#f4775a", "#ffcb77"), "#fff0bf", ("#c25a76", "#25123f"), ("sunset", "evening", "fire")),
    Palette(("#0a1030", "#1c2d66", "#47609f", "#93a8d6"), "#fdf6dc", ("#50679f", "#0a1230"), ("night", "moon", "space", "star"), starry=True),
    Palette(("#6b74bd", "#b49cd4", "#f2c4d2", "#fff0df"), "#fffdf5", ("#b9a0cc", "#2f2b5c"), ("dream", "flower", "purple", "fairy")),
    Palette(("#9cc9c0", "#d3e6d5", "#f7f2dc", "#fff6e0"), "#ffffff", ("#b3d0bb", "#14392f"), ("forest", "garden", "green", "jungle")),
    Palette(("#c9663f", "#e99a5b", "#f7cd8b", "#ffeac0"), "#fff7e2", ("#dd9a63", "#5a2233"), ("desert", "dune", "autumn", "mars")),
    Palette(("#1d5d8c", "#48a3b8", "#a6dcd3", "#f7f1d8"), "#fffbe9", ("#63b0b3", "#0c3a56"), ("sea", "ocean", "beach", "water")),
    Palette(("#7f9cc0", "#b9cfe2", "#e9eff4", "#fdf3ec"), "#ffffff", ("#c3d2e0", "#34506f"), ("snow", "winter", "ice", "mountain")),
)  # fmt: skip


def choose_palette(prompt: str, luck: Random) -> Palette:
    """Return a palette that the prompt's words call for, else any."""
    text = prompt.lower()
    called = [palette for palette in PALETTES if any(word in text for word in palette.words)]
    return luck.choice(called or PALETTES)


def rgb(colour: str) -> RGB:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Return `share` of the second colour in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
