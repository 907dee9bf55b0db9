"""A picture to measure by: one circle, four corner marks."""

from PIL import Image, ImageDraw

CORNER_MARK_PX = 16
_CORNER_COLOURS = ("red", "lime", "blue", "magenta")


def paint_test_card(size: tuple[int, int]) -> Image.Image:
    """Draw a black circle centred on white, its radius a quarter of the short side.

    The marks stand in the corners clockwise from the top left: red, green, blue, magenta.
    """
    width, height = size
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.circle(((width - 1) / 2, (height - 1) / 2), min(size) / 4, fill="black")
    right, bottom, mark = width - CORNER_MARK_PX, height - CORNER_MARK_PX, CORNER_MARK_PX
    for (x, y), colour in zip(
        ((0, 0), (right, 0), (right, bottom), (0, bottom)), _CORNER_COLOURS, strict=True
    ):
        draw.rectangle((x, y, x + mark - 1, y + mark - 1), fill=colour)
    return image
