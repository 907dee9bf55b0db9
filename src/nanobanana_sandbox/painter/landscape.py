"""Ground: rolling hills, mountains or the sea, in layers that pale towards the horizon."""

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

from nanobanana_sandbox.painter.canvas import Canvas, Point
from nanobanana_sandbox.painter.palettes import RGB, Palette, mix, rgb

Ridge = Callable[[float], float]

_LAYERS = 5
_CONTOURS = 2


def paint_hills(canvas: Canvas, palette: Palette, luck: Random, *, horizon: float) -> Ridge:
    """Paint from far to near; return the nearest ridge: its y at any x."""
    return _layers(canvas, palette, luck, horizon=horizon, make_ridge=_rolling)


def paint_mountains(canvas: Canvas, palette: Palette, luck: Random, *, horizon: float) -> Ridge:
    return _layers(canvas, palette, luck, horizon=horizon, make_ridge=_jagged)


def paint_sea(canvas: Canvas, palette: Palette, luck: Random, *, horizon: float, disc: Point) -> Ridge:
    """Paint water that mirrors the sky, the disc's light on it, and a few swells in front."""
    far, near = rgb(palette.land[0]), rgb(palette.land[1])
    haze = rgb(palette.sky[-1])
    corners = [(0.0, horizon), (canvas.width, horizon), (canvas.width, canvas.height), (0.0, canvas.height)]
    canvas.polygon(corners, [mix(far, haze, 0.45), far, mix(far, near, 0.7), near])
    _glitter(canvas, rgb(palette.disc), luck, horizon=horizon, x=disc[0])
    ridge: Ridge = lambda _: horizon  # noqa: E731  # the loop below replaces it
    for depth in (0.45, 0.7, 1.0):
        y = horizon + (canvas.height - horizon) * (0.25 + 0.5 * depth)
        ridge = _swell(canvas, luck, y=y)
        _paint_layer(canvas, ridge, mix(far, near, depth), haze, opacity=0.75)
    return ridge


def _layers(
    canvas: Canvas,
    palette: Palette,
    luck: Random,
    *,
    horizon: float,
    make_ridge: Callable[[Canvas, Random, float, float], Ridge],
) -> Ridge:
    far, near = rgb(palette.land[0]), rgb(palette.land[1])
    haze = rgb(palette.sky[-1])
    for layer in range(_LAYERS):
        depth = layer / (_LAYERS - 1)
        y = horizon + (canvas.height - horizon) * (0.02 + 0.62 * depth**1.2)
        ridge = make_ridge(canvas, luck, y, depth)
        _paint_layer(canvas, ridge, mix(mix(far, haze, 0.35 * (1 - depth)), near, depth**1.3), haze)
    return ridge


def _paint_layer(canvas: Canvas, ridge: Ridge, colour: RGB, haze: RGB, *, opacity: float = 1) -> None:
    """Fill below the ridge, lighter at the crest, with translucent contours that follow it."""
    light, mist = mix(colour, haze, 0.22), mix(colour, haze, 0.12)
    canvas.polygon(_below(canvas, ridge), [light, colour, colour, mist], opacity=opacity)
    for contour in range(1, _CONTOURS + 1):
        drop = canvas.short * 0.035 * contour**1.25
        canvas.polygon(_below(canvas, ridge, drop=drop, flatten=0.12 * contour), [colour], opacity=0.28)


def _below(canvas: Canvas, ridge: Ridge, *, drop: float = 0, flatten: float = 0) -> list[Point]:
    step = max(2, canvas.width // 256)
    xs = [*range(0, canvas.width, step), canvas.width]
    middle = sum(map(ridge, xs)) / len(xs)
    crest = [(float(x), ridge(x) + (middle - ridge(x)) * flatten + drop) for x in xs]
    return [*crest, (canvas.width, canvas.height + 2.0), (0.0, canvas.height + 2.0)]


def _rolling(canvas: Canvas, luck: Random, y: float, depth: float) -> Ridge:
    height = canvas.short * (0.035 + 0.05 * depth)
    waves = [
        (height / (n + 1) ** 0.9, (n + 1) * luck.uniform(2.2, 3.6) / canvas.short, luck.uniform(0, math.tau))
        for n in range(3)
    ]
    return lambda x: y + sum(high * math.sin(x * pace + phase) for high, pace, phase in waves)


def _jagged(canvas: Canvas, luck: Random, y: float, depth: float) -> Ridge:
    """Peaks far away by halving segments, gentler ones near."""
    roughness = canvas.short * (0.26 * (1 - depth) + 0.07)
    heights = [luck.uniform(-1, 1) * roughness * 0.5 for _ in range(3)]
    for _ in range(6):
        roughness *= 0.52
        middles = [(a + b) / 2 + luck.uniform(-1, 1) * roughness * 0.5 for a, b in pairwise(heights)]
        heights = [h for pair in zip(heights, middles, strict=False) for h in pair] + heights[-1:]
    last = len(heights) - 1

    def ridge(x: float) -> float:
        place = min(max(x / canvas.width, 0), 1) * last
        left = min(int(place), last - 1)
        return y + heights[left] + (heights[left + 1] - heights[left]) * (place - left)

    return ridge


def _swell(canvas: Canvas, luck: Random, *, y: float) -> Ridge:
    height, pace, phase = canvas.short * 0.016, luck.uniform(7, 10) / canvas.short, luck.uniform(0, math.tau)
    return lambda x: y + height * (math.sin(x * pace + phase) + 0.4 * math.sin(x * pace * 2.3 + phase * 2))


def _glitter(canvas: Canvas, colour: RGB, luck: Random, *, horizon: float, x: float) -> None:
    depth = canvas.height - horizon
    for step in range(26):
        share = (step + 0.5) / 26
        half = canvas.short * (0.03 + 0.1 * share) * luck.uniform(0.5, 1.1)
        centre = (x + luck.uniform(-0.35, 0.35) * half, horizon + depth * share**1.35 * 0.95)
        radii = (half, max(1.2, canvas.short * 0.0045 * (0.5 + share)))
        canvas.ellipse(centre, radii, colour, opacity=0.6 * (1 - share) + 0.08)
