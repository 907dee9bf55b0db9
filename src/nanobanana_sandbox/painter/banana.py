"""The house's own fruit."""

import math

from PIL import Image, ImageDraw

from nanobanana_sandbox.painter.canvas import Point
from nanobanana_sandbox.painter.palettes import mix, rgb

_OVERSAMPLING = 4
_YELLOW, _SHADE, _LIGHT = rgb("#ffd02e"), rgb("#eda51d"), rgb("#ffeb8c")
_BROWN, _STEM, _GLASS = rgb("#5b3a1e"), rgb("#b49a2c"), rgb("#20242f")
_POINTS = 48


def banana_tile(side: int, *, tilt: float) -> Image.Image:
    """Return a square RGBA tile with a banana that stands upright, leaning by `tilt` degrees to the left."""
    big = side * _OVERSAMPLING
    tile = Image.new("RGBA", (big, big), (*_YELLOW, 0))
    draw = ImageDraw.Draw(tile)
    _stem(draw, big)
    draw.polygon(_outline(big, -1, 1), fill=_YELLOW)
    draw.polygon(_outline(big, 0.25, 1), fill=mix(_YELLOW, _SHADE, 0.55))
    draw.polygon(_outline(big, 0.62, 1), fill=_SHADE)
    draw.polygon(_outline(big, -0.72, -0.42, start=0.14, end=0.8), fill=_LIGHT)
    _tip(draw, big)
    _face(draw, big)
    # Turned at half way down: four times as fast, and still smooth.
    return tile.reduce(_OVERSAMPLING // 2).rotate(tilt, Image.Resampling.BILINEAR).reduce(2)


def foot_of(side: int, *, tilt: float) -> Point:
    """Return where in its tile the leaning banana touches the ground."""
    (x, y), _, _ = _spine(1)
    turn = math.radians(tilt)
    right, down = x - 0.5, y - 0.5
    return (
        side * (0.5 + right * math.cos(turn) + down * math.sin(turn)),
        side * (0.5 - right * math.sin(turn) + down * math.cos(turn)),
    )


def _spine(share: float) -> tuple[Point, Point, float]:
    """Return point, outward normal and half thickness at `share` of the way from the stem to the tip.

    The spine is part of a circle whose middle lies to the left, so that the belly is on the right.
    """
    angle = math.radians(-62 + 116 * share)
    normal = (math.cos(angle), math.sin(angle))
    point = (0.16 + 0.42 * normal[0], 0.5 + 0.42 * normal[1])
    return point, normal, 0.105 * (math.sin(math.pi * (0.1 + 0.82 * share)) ** 0.75)


def _outline(big: int, inner: float, outer: float, *, start: float = 0, end: float = 1) -> list[Point]:
    """Return the band between two shares of the half thickness, from -1 (inside) to 1 (belly)."""
    shares = [start + (end - start) * index / _POINTS for index in range(_POINTS + 1)]
    # A band that is not the whole body runs thin towards both of its ends.
    return [
        *(_at(big, share, inner) for share in shares),
        *(_at(big, share, inner + (outer - inner) * _taper(share, start, end)) for share in reversed(shares)),
    ]


def _taper(share: float, start: float, end: float) -> float:
    return 1 if (start, end) == (0, 1) else max(0, math.sin(math.pi * (share - start) / (end - start))) ** 0.5


def _at(big: int, share: float, offset: float) -> Point:
    point, normal, half = _spine(share)
    return big * (point[0] + normal[0] * half * offset), big * (point[1] + normal[1] * half * offset)


def _stem(draw: ImageDraw.ImageDraw, big: int) -> None:
    left, right = _at(big, 0, -0.75), _at(big, 0, 0.75)
    end = (left[0] - big * 0.085, left[1] - big * 0.065)
    width = big * 0.035
    draw.polygon([left, (end[0], end[1]), (end[0] + width * 0.7, end[1] - width), right], fill=_STEM)
    draw.line(
        [(end[0], end[1]), (end[0] + width * 0.7, end[1] - width)], fill=_BROWN, width=round(big * 0.02)
    )


def _tip(draw: ImageDraw.ImageDraw, big: int) -> None:
    draw.polygon(
        [_at(big, 0.96, -1.1), _at(big, 0.96, 1.1), _at(big, 1.02, 0.85), _at(big, 1.02, -0.85)], fill=_BROWN
    )


def _face(draw: ImageDraw.ImageDraw, big: int) -> None:
    """Draw sunglasses and a smile where the body is broadest."""
    x, y = _at(big, 0.4, 0.05)
    wide, high, gap = big * 0.088, big * 0.07, big * 0.014
    draw.line(
        [(x - wide * 1.25, y - high * 0.3), (x + wide * 1.25, y - high * 0.3)],
        fill=_GLASS,
        width=round(big * 0.016),
    )
    for left in (x - gap - wide, x + gap):
        box = (left, y - high * 0.45, left + wide, y + high * 0.55)
        draw.rounded_rectangle(box, radius=wide * 0.38, fill=_GLASS)
        draw.line(
            [(left + wide * 0.3, y - high * 0.15), (left + wide * 0.2, y + high * 0.1)],
            fill=(150, 165, 190),
            width=round(big * 0.01),
        )
    smile = (x - wide * 0.6, y + high * 0.35, x + wide * 0.6, y + high * 1.35)
    draw.arc(smile, 25, 155, fill=_BROWN, width=round(big * 0.012))
