import pytest

from nanobanana.integrations.google import aspect_ratios


@pytest.mark.parametrize(
    ("width", "height", "generate_content", "predict"),
    [
        (1024, 1024, "1:1", "1:1"),
        (1280, 896, "3:2", "4:3"),
        (896, 1280, "2:3", "3:4"),
        (1408, 768, "16:9", "16:9"),
        (768, 1408, "9:16", "9:16"),
    ],
)
def test_each_product_size_asks_for_the_shape_that_loses_least(
    width: int, height: int, generate_content: str, predict: str
) -> None:
    assert aspect_ratios.closest(width, height, aspect_ratios.GENERATE_CONTENT) == generate_content
    assert aspect_ratios.closest(width, height, aspect_ratios.PREDICT) == predict


@pytest.mark.parametrize("sizes", [aspect_ratios.GENERATE_CONTENT, aspect_ratios.PREDICT])
def test_a_native_size_asks_for_its_own_ratio(sizes: aspect_ratios.Sizes) -> None:
    assert {ratio: aspect_ratios.closest(*pixels, sizes) for ratio, pixels in sizes.items()} == {
        ratio: ratio for ratio in sizes
    }
