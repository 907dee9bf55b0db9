"""A landscape with a disc in the sky and a banana in it, the same for the same prompt and seed."""

import math
from random import Random

from PIL import Image, ImageDraw, ImageFont

from nanobanana_sandbox.chance import chance
from nanobanana_sandbox.painter.banana import banana_tile, foot_of
from nanobanana_sandbox.painter.canvas import Canvas, Point, with_grain
from nanobanana_sandbox.painter.landscape import Ridge, paint_hills, paint_mountains, paint_sea
from nanobanana_sandbox.painter.palettes import Palette, choose_palette, mix, rgb

# Larger pictures are painted at about this many pixels and scaled up.
_PAINTED_PIXELS = 1_200_000
_GRAIN = 7
_BOARD, _BOARD_EDGE = (250, 246, 236), (226, 96, 74)


def paint_scene(prompt: str, seed: int, size: tuple[int, int]) -> Image.Image:
    luck = chance(seed)
    palette = choose_palette(prompt, luck)
    scale = min(1, math.sqrt(_PAINTED_PIXELS / (size[0] * size[1])))
    canvas = Canvas((round(size[0] * scale), round(size[1] * scale)))
    _paint(canvas, palette, luck)
    image = canvas.image if scale == 1 else canvas.image.resize(size, Image.Resampling.BICUBIC)
    image = with_grain(image, luck, amplitude=_GRAIN)
    _write_sandbox(image)
    return image


def _paint(canvas: Canvas, palette: Palette, luck: Random) -> None:
    horizon = canvas.height * luck.uniform(0.56, 0.64)
    disc = (canvas.width * luck.uniform(0.24, 0.76), horizon - canvas.short * luck.uniform(0.18, 0.36))
    _paint_sky(canvas, palette, luck, disc)
    at_sea = "sea" in palette.words or luck.random() < 0.2
    if at_sea:
        ridge = paint_sea(canvas, palette, luck, horizon=horizon, disc=disc)
    else:
        paint_land = luck.choice((paint_hills, paint_hills, paint_mountains))
        ridge = paint_land(canvas, palette, luck, horizon=horizon)
    _place_banana(canvas, luck, ridge, away_from=disc[0], at_sea=at_sea)


def _paint_sky(canvas: Canvas, palette: Palette, luck: Random, disc: Point) -> None:
    colours = [rgb(colour) for colour in palette.sky]
    canvas.fill([*colours, *[colours[-1]] * 2])
    if palette.starry:
        _paint_stars(canvas, luck)
    light = rgb(palette.disc)
    radius = canvas.short * luck.uniform(0.075, 0.12)
    canvas.glow(disc, radius * 5, light, opacity=0.55)
    for ring, opacity in ((1.9, 0.10), (1.45, 0.16)):
        canvas.disc(disc, radius * ring, light, opacity=opacity)
    canvas.disc(disc, radius, light)
    _paint_clouds(canvas, palette, luck)
    if not palette.starry:
        _paint_birds(canvas, palette, luck)


def _paint_stars(canvas: Canvas, luck: Random) -> None:
    for _ in range(round(canvas.width * canvas.height / 9_000)):
        centre = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height * 0.55))
        canvas.disc(
            centre, luck.choice((0.8, 1.0, 1.3, 2.0)), (255, 255, 255), opacity=luck.uniform(0.25, 0.9)
        )


def _paint_clouds(canvas: Canvas, palette: Palette, luck: Random) -> None:
    white = mix(rgb(palette.sky[-1]), (255, 255, 255), 0.4)
    for _ in range(luck.randint(2, 4)):
        x, y = luck.uniform(0, canvas.width), canvas.height * luck.uniform(0.1, 0.42)
        for line in range(3):
            half = canvas.short * luck.uniform(0.08, 0.2)
            centre = (x + luck.uniform(-1, 1) * half * 0.7, y + line * canvas.short * 0.017)
            canvas.ellipse(centre, (half, canvas.short * 0.011), white, opacity=0.34)


def _paint_birds(canvas: Canvas, palette: Palette, luck: Random) -> None:
    colour = mix(rgb(palette.land[1]), rgb(palette.sky[1]), 0.25)
    x, y = canvas.width * luck.uniform(0.15, 0.8), canvas.height * luck.uniform(0.16, 0.36)
    for _ in range(luck.randint(3, 5)):
        wing = canvas.short * luck.uniform(0.010, 0.018)
        left, right = (x - wing, y - wing * 0.55), (x + wing, y - wing * 0.55)
        thick = wing * 0.22
        canvas.polygon([left, (x, y), right, (x, y + thick)], [colour], opacity=0.8)
        x, y = x + canvas.short * luck.uniform(0.025, 0.06), y + canvas.short * luck.uniform(-0.03, 0.03)


def _place_banana(canvas: Canvas, luck: Random, ridge: Ridge, *, away_from: float, at_sea: bool) -> None:
    """Stand it on the nearest ridge, on the side that the disc leaves free; at sea, on a board."""
    side = round(canvas.short * luck.uniform(0.32, 0.38))
    x = canvas.width * (luck.uniform(0.66, 0.8) if away_from < canvas.width / 2 else luck.uniform(0.2, 0.34))
    y, tilt = ridge(x), luck.uniform(-16, 10)
    foot = foot_of(side, tilt=tilt)
    if at_sea:
        canvas.ellipse((x + side * 0.03, y + side * 0.03), (side * 0.36, side * 0.035), _BOARD_EDGE)
        canvas.ellipse((x + side * 0.03, y + side * 0.018), (side * 0.35, side * 0.028), _BOARD)
    else:
        canvas.ellipse(
            (x + side * 0.02, y + side * 0.012), (side * 0.2, side * 0.022), (0, 0, 0), opacity=0.28
        )
    canvas.paste(banana_tile(side, tilt=tilt), (x - foot[0], y - foot[1]))


def _write_sandbox(image: Image.Image) -> None:
    height = max(11, round(min(image.size) * 0.017))
    font = ImageFont.load_default(height)
    draw = ImageDraw.Draw(image, "RGBA")
    margin = height * 1.2
    place = (image.width - margin, image.height - margin)
    draw.text(place, "sandbox", font=font, fill=(255, 255, 255, 170), anchor="rs")
