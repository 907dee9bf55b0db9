"""Pictures: deterministic, the right size whatever the ratio, and round where they are round."""

import pytest
from PIL import Image

from nanobanana_sandbox.chance import chance
from nanobanana_sandbox.painter.canvas import Canvas
from nanobanana_sandbox.painter.palettes import PALETTES, choose_palette
from nanobanana_sandbox.painter.scene import paint_scene


@pytest.mark.parametrize("size", [(1024, 1024), (512, 2048), (3072, 384), (792, 168), (2752, 1536)])
def test_a_scene_fills_any_size(size: tuple[int, int]) -> None:
    image = paint_scene("a fox", 1, size)

    assert (image.size, image.mode) == (size, "RGB")
    assert len(image.resize((16, 16)).getcolors(256) or []) > 100


def test_a_scene_depends_on_its_seed_alone() -> None:
    first, again, other = (paint_scene("a fox", seed, (300, 200)).tobytes() for seed in (1, 1, 2))

    assert first == again != other


def test_words_in_the_prompt_call_for_colours() -> None:
    for palette in PALETTES:
        for word in palette.words:
            assert choose_palette(f"A {word.upper()} in a picture", chance(1)) is palette


def test_a_disc_is_a_circle_at_its_place() -> None:
    canvas = Canvas((300, 200))

    canvas.disc((140.0, 90.0), 50.0, (255, 255, 255))

    box = canvas.image.convert("L").point(_black_or_white).getbbox()
    assert box == pytest.approx((90, 40, 190, 140), abs=1)
    assert _share_of_white(canvas.image.crop(box)) == pytest.approx(3.1416 / 4, abs=0.01)


def _black_or_white(value: int) -> int:
    return 255 if value > 127 else 0


def _share_of_white(image: Image.Image) -> float:
    histogram = image.convert("L").point(_black_or_white).histogram()
    return histogram[255] / sum(histogram)
