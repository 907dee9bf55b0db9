"""A word across a picture, readable on any ground and through which the picture stays visible."""

import math

from PIL import Image, ImageDraw, ImageFont

_HEIGHT = 0.19  # of the diagonal it stands on
_FILL = (255, 255, 255, 120)
_OUTLINE = (0, 0, 0, 90)


def watermarked(image: Image.Image, word: str) -> Image.Image:
    """The picture with the word along its rising diagonal. The same picture gives the same pixels."""
    marked = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    angle = math.degrees(math.atan2(image.height, image.width))
    mark = _drawn(word, height=round(math.hypot(*image.size) * _HEIGHT))
    mark = mark.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    place = ((image.width - mark.width) // 2, (image.height - mark.height) // 2)
    marked.paste(mark.convert("RGB"), place, mark.getchannel("A"))
    return marked


def _drawn(word: str, *, height: int) -> Image.Image:
    font = ImageFont.load_default(height)
    outline = max(1, height // 50)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(word, stroke_width=outline))
    drawn = Image.new("RGBA", (right - left, bottom - top), (255, 255, 255, 0))
    ImageDraw.Draw(drawn).text(
        (-left, -top), word, font=font, fill=_FILL, stroke_width=outline, stroke_fill=_OUTLINE
    )
    return drawn
