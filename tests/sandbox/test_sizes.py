"""Every size the models give, to the pixel."""

import pytest

from nanobanana_sandbox.models import IMAGEN_MODELS, MODELS
from tests.sandbox.caller import Caller, final_part, picture

_RATIOS = "1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9"
_EXTREME = "1:4 4:1 1:8 8:1"
_PUBLISHED = {
    "512": "512x512 424x632 632x424 448x600 600x448 464x576 576x464 384x688 688x384 792x168",
    "1K": "1024x1024 848x1264 1264x848 896x1200 1200x896 928x1152 1152x928 768x1376 1376x768 1584x672",
    "2K": "2048x2048 1696x2528 2528x1696 1792x2400 2400x1792 1856x2304 2304x1856 1536x2752 2752x1536 3168x1344",
    "4K": "4096x4096 3392x5056 5056x3392 3584x4800 4800x3584 3712x4608 4608x3712 3072x5504 5504x3072 6336x2688",
}
_PUBLISHED_EXTREME = {
    "512": "256x1024 1024x256 192x1536 1536x192",
    "1K": "512x2048 2048x512 384x3072 3072x384",
    "2K": "1024x4096 4096x1024 768x6144 6144x768",
    "4K": "2048x8192 8192x2048 1536x12288 12288x1536",
}
_PUBLISHED_2_5 = "1024x1024 832x1248 1248x832 864x1184 1184x864 896x1152 1152x896 768x1344 1344x768 1536x672"
_SMALL_FILES = [
    (model.id, image_size, ratio)
    for model in MODELS.values()
    for image_size in ("512", "1K")
    for ratio in model.sizes.get(image_size, ())
]


def _table(ratios: str, sizes: str) -> dict[str, tuple[int, ...]]:
    pixels = (tuple(map(int, size.split("x"))) for size in sizes.split())
    return dict(zip(ratios.split(), pixels, strict=True))


@pytest.mark.parametrize("image_size", ["512", "1K", "2K", "4K"])
def test_gemini_3_sizes_are_the_published_ones(image_size: str) -> None:
    common, extreme = (
        _table(_RATIOS, _PUBLISHED[image_size]),
        _table(_EXTREME, _PUBLISHED_EXTREME[image_size]),
    )

    assert MODELS["gemini-3.1-flash-image"].sizes[image_size] == common | extreme
    assert MODELS["gemini-3-pro-image"].sizes.get(image_size, common) == common


def test_each_model_has_its_own_set_of_sizes() -> None:
    offered = {name: (tuple(model.sizes), len(model.sizes["1K"])) for name, model in MODELS.items()}

    assert offered["gemini-nano-banana-2.1"] == (("1K", "2K", "4K"), 14)
    assert offered["gemini-3.1-flash-image"] == (("512", "1K", "2K", "4K"), 14)
    assert offered["gemini-3.1-flash-lite-image"] == (("1K",), 14)
    assert offered["gemini-3-pro-image"] == (("1K", "2K", "4K"), 10)
    assert MODELS["gemini-2.5-flash-image"].sizes == {"1K": _table(_RATIOS, _PUBLISHED_2_5)}
    assert MODELS["gemini-nano-banana-2.1"].sizes["4K"]["8:1"] == (11712, 1408)


def test_imagen_has_the_five_historical_sizes() -> None:
    ratios = "1:1 3:4 4:3 9:16 16:9"

    sizes = IMAGEN_MODELS["imagen-4.0-generate-001"].sizes

    assert sizes["1K"] == _table(ratios, "1024x1024 896x1280 1280x896 768x1408 1408x768")
    assert sizes["2K"] == _table(ratios, "2048x2048 1792x2560 2560x1792 1536x2816 2816x1536")


@pytest.mark.parametrize(("model", "image_size", "ratio"), _SMALL_FILES)
def test_the_file_has_the_size_of_the_table(caller: Caller, model: str, image_size: str, ratio: str) -> None:
    config = {"imageConfig": {"aspectRatio": ratio, "imageSize": image_size}}

    answer = caller.generate(model=model, config=config, scenario="test_card")

    assert picture(answer).size == MODELS[model].sizes[image_size][ratio]
    assert final_part(answer)["inlineData"]["mimeType"] == MODELS[model].mime_type
    assert picture(answer).get_format_mimetype() == MODELS[model].mime_type


@pytest.mark.parametrize("image_size", ["2K", "4K"])
def test_large_files_have_the_size_of_the_table(caller: Caller, image_size: str) -> None:
    answer = caller.generate(config={"imageConfig": {"aspectRatio": "16:9", "imageSize": image_size}})

    assert picture(answer).size == {"2K": (2752, 1536), "4K": (5504, 3072)}[image_size]


def test_the_long_spelling_of_ratio_and_size_is_understood(caller: Caller) -> None:
    image = {"aspectRatio": "ASPECT_RATIO_TWENTY_ONE_BY_NINE", "imageSize": "IMAGE_SIZE_ONE_K"}

    answer = caller.generate(config={"responseFormat": {"image": image}}, scenario="test_card")

    assert picture(answer).size == (1584, 672)
