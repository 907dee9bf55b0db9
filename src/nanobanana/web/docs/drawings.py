"""The sizes as shapes, to scale."""

from typing import get_args

from nanobanana.domain.generation.types import Size

_PIXELS_A_UNIT = 9
_GAP = 20
# Yellow with dark words on it: right on a light page and on a dark one.
_SHAPE = 'rx="6" fill="#ffd84d" stroke="#c79a00"'
_WORDS = 'font-family="system-ui, sans-serif" font-size="12.5" font-weight="600" fill="#2b2610" text-anchor="middle"'


def sizes_drawing() -> str:
    shapes = [(size, *(int(side) / _PIXELS_A_UNIT for side in size.split("x"))) for size in get_args(Size)]
    height = max(height for _, _, height in shapes) + 2
    parts, x = [], 1.0
    for size, wide, high in shapes:
        y = height - 1 - high
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" {_SHAPE}/>')
        label = size.replace("x", " \u00d7 ")
        parts.append(f'<text x="{x + wide / 2:.1f}" y="{y + high / 2 + 4:.1f}" {_WORDS}>{label}</text>')
        x += wide + _GAP
    width = x - _GAP + 1
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}">{"".join(parts)}</svg>\n'
    )
