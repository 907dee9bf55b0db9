"""Brushes: gradients, antialiased shapes, glow, grain. All sizes are in pixels."""

from collections.abc import Sequence
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops, ImageDraw

from nanobanana_sandbox.painter.palettes import RGB, mix

Point = tuple[float, float]

# Shapes are drawn this much larger and scaled down: that is their antialiasing.
_OVERSAMPLING = 2


class Canvas:
    def __init__(self, size: tuple[int, int]) -> None:
        self.width, self.height = size
        self.short = min(size)
        self.image = Image.new("RGB", size)

    def fill(self, colours: Sequence[RGB]) -> None:
        self.image.paste(vertical_gradient((self.width, self.height), colours))

    def polygon(self, points: Sequence[Point], colours: Sequence[RGB], *, opacity: float = 1) -> None:
        """Fill with a gradient that runs from the top of the shape to its lowest point."""
        top, bottom = (round(f(y for _, y in points)) for f in (min, max))
        box = (0, max(0, top - 1), self.width, min(self.height, bottom + 1))
        if box[3] <= box[1]:
            return
        size = (box[2], box[3] - box[1])
        mask = Image.new("L", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING))
        shifted = [(x * _OVERSAMPLING, (y - box[1]) * _OVERSAMPLING) for x, y in points]
        ImageDraw.Draw(mask).polygon(shifted, fill=round(255 * opacity))
        self.image.paste(vertical_gradient(size, colours), box, mask.reduce(_OVERSAMPLING))

    def disc(self, centre: Point, radius: float, colour: RGB, *, opacity: float = 1) -> None:
        self.ellipse(centre, (radius, radius), colour, opacity=opacity)

    def ellipse(self, centre: Point, radii: Point, colour: RGB, *, opacity: float = 1) -> None:
        left, top = int(centre[0] - radii[0]) - 1, int(centre[1] - radii[1]) - 1
        size = (int(2 * radii[0]) + 4, int(2 * radii[1]) + 4)
        factor = 4
        mask = Image.new("L", (size[0] * factor, size[1] * factor))
        middle = ((centre[0] - left) * factor, (centre[1] - top) * factor)
        ImageDraw.Draw(mask).ellipse(
            (
                middle[0] - radii[0] * factor,
                middle[1] - radii[1] * factor,
                middle[0] + radii[0] * factor - 1,
                middle[1] + radii[1] * factor - 1,
            ),
            fill=round(255 * opacity),
        )
        self.image.paste(colour, (left, top), mask.reduce(factor))

    def glow(self, centre: Point, radius: float, colour: RGB, *, opacity: float) -> None:
        """Let light fall off from a centre to nothing at the radius."""
        side = round(2 * radius)
        mask = _falloff().point([round(value * opacity) for value in range(256)]).resize((side, side))
        self.image.paste(colour, (round(centre[0] - radius), round(centre[1] - radius)), mask)

    def paste(self, tile: Image.Image, top_left: Point) -> None:
        self.image.paste(tile, (round(top_left[0]), round(top_left[1])), tile)


def vertical_gradient(size: tuple[int, int], colours: Sequence[RGB]) -> Image.Image:
    steps = bytes(channel for colour in _steps(colours, 256) for channel in colour)
    column = Image.frombytes("RGB", (1, 256), steps).resize((1, size[1]), Image.Resampling.BICUBIC)
    return column.resize(size, Image.Resampling.NEAREST)


def with_grain(image: Image.Image, luck: Random, *, amplitude: int) -> Image.Image:
    """Add film grain; it also hides the steps of the gradients."""
    noise = Image.frombytes("L", image.size, luck.randbytes(image.width * image.height))
    noise = noise.point([round(value * 2 * amplitude / 255) for value in range(256)])
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -amplitude)


def _steps(colours: Sequence[RGB], count: int) -> list[RGB]:
    last = len(colours) - 1
    places = (index / (count - 1) * last for index in range(count))
    return [mix(colours[int(p)], colours[min(int(p) + 1, last)], p - int(p)) for p in places]


@lru_cache(maxsize=1)
def _falloff() -> Image.Image:
    # radial_gradient is 0 in the centre and 179 where the circle meets the edges; squared it fades softly.
    fade = [round(max(0, 1 - value / 179) ** 2 * 255) for value in range(256)]
    return Image.radial_gradient("L").point(fade)
