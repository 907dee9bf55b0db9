"""The catalogue: which models answer, in which sizes, and what became of the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Size = tuple[int, int]

# https://ai.google.dev/gemini-api/docs/image-generation, 2026-09-08. Ratio: pixels at 512, 1K, 2K, 4K.
_GEMINI_3_COMMON: Mapping[str, tuple[Size, Size, Size, Size]] = {
    "1:1": ((512, 512), (1024, 1024), (2048, 2048), (4096, 4096)),
    "2:3": ((424, 632), (848, 1264), (1696, 2528), (3392, 5056)),
    "3:2": ((632, 424), (1264, 848), (2528, 1696), (5056, 3392)),
    "3:4": ((448, 600), (896, 1200), (1792, 2400), (3584, 4800)),
    "4:3": ((600, 448), (1200, 896), (2400, 1792), (4800, 3584)),
    "4:5": ((464, 576), (928, 1152), (1856, 2304), (3712, 4608)),
    "5:4": ((576, 464), (1152, 928), (2304, 1856), (4608, 3712)),
    "9:16": ((384, 688), (768, 1376), (1536, 2752), (3072, 5504)),
    "16:9": ((688, 384), (1376, 768), (2752, 1536), (5504, 3072)),
    # 792x168 is what the page says, though it is no 21:9.
    "21:9": ((792, 168), (1584, 672), (3168, 1344), (6336, 2688)),
}
_GEMINI_3_EXTREME: Mapping[str, tuple[Size, Size, Size, Size]] = {
    "1:4": ((256, 1024), (512, 2048), (1024, 4096), (2048, 8192)),
    "4:1": ((1024, 256), (2048, 512), (4096, 1024), (8192, 2048)),
    "1:8": ((192, 1536), (384, 3072), (768, 6144), (1536, 12288)),
    "8:1": ((1536, 192), (3072, 384), (6144, 768), (12288, 1536)),
}
_GEMINI_3 = {**_GEMINI_3_COMMON, **_GEMINI_3_EXTREME}
_GEMINI_2_5: Mapping[str, Size] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_IMAGEN: Mapping[str, tuple[Size, Size]] = {
    "1:1": ((1024, 1024), (2048, 2048)),
    "3:4": ((896, 1280), (1792, 2560)),
    "4:3": ((1280, 896), (2560, 1792)),
    "9:16": ((768, 1408), (1536, 2816)),
    "16:9": ((1408, 768), (2816, 1536)),
}
_GEMINI_3_SIZES = ("512", "1K", "2K", "4K")


@dataclass(frozen=True, kw_only=True)
class Model:
    """`sizes[image_size][aspect_ratio]` is the exact picture in pixels, `output_tokens` its price in tokens."""

    id: str
    display_name: str
    method: Literal["generateContent", "predict"] = "generateContent"
    mime_type: str = "image/jpeg"
    sizes: Mapping[str, Mapping[str, Size]]
    output_tokens: Mapping[str, int] = field(default_factory=dict)


def _gemini_3(ratios: Mapping[str, tuple[Size, ...]], *image_sizes: str) -> dict[str, dict[str, Size]]:
    return {
        name: {ratio: pixels[_GEMINI_3_SIZES.index(name)] for ratio, pixels in ratios.items()}
        for name in image_sizes
    }


def _nano_banana_2_1() -> dict[str, dict[str, Size]]:
    sizes = _gemini_3(_GEMINI_3, "1K", "2K", "4K")
    # Seen on the living model, unlike the older table.
    sizes["4K"].update({"8:1": (11712, 1408), "1:8": (1408, 11712)})
    return sizes


def _imagen(name: str, display_name: str, *image_sizes: str) -> Model:
    return Model(
        id=name,
        display_name=display_name,
        method="predict",
        mime_type="image/png",
        sizes={
            size: {ratio: pixels[("1K", "2K").index(size)] for ratio, pixels in _IMAGEN.items()}
            for size in image_sizes
        },
    )


_PRO_SIZES = _gemini_3(_GEMINI_3_COMMON, "1K", "2K", "4K")
_PRO_TOKENS = {"1K": 1120, "2K": 1120, "4K": 2000}

MODELS: Mapping[str, Model] = {
    model.id: model
    for model in (
        Model(
            id="gemini-nano-banana-2.1",
            display_name="Nano Banana 2.1",
            sizes=_nano_banana_2_1(),
            output_tokens={"1K": 1120, "2K": 1680, "4K": 3780},
        ),
        Model(
            id="gemini-3.1-flash-image",
            display_name="Nano Banana 2",
            sizes=_gemini_3(_GEMINI_3, *_GEMINI_3_SIZES),
            output_tokens={"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
        ),
        Model(
            id="gemini-3.1-flash-lite-image",
            display_name="Nano Banana 2 Lite",
            sizes=_gemini_3(_GEMINI_3, "1K"),
            output_tokens={"1K": 1120},
        ),
        Model(
            id="gemini-3-pro-image",
            display_name="Nano Banana Pro",
            sizes=_PRO_SIZES,
            output_tokens=_PRO_TOKENS,
        ),
        Model(
            id="nano-banana-pro-preview",
            display_name="Nano Banana Pro (alias)",
            sizes=_PRO_SIZES,
            output_tokens=_PRO_TOKENS,
        ),
        # Past its shutdown date of 2026-10-02 and still answering.
        Model(
            id="gemini-2.5-flash-image",
            display_name="Nano Banana",
            mime_type="image/png",
            sizes={"1K": _GEMINI_2_5},
            output_tokens={"1K": 1290},
        ),
    )
}

IMAGEN_MODELS: Mapping[str, Model] = {
    model.id: model
    for model in (
        _imagen("imagen-4.0-generate-001", "Imagen 4", "1K", "2K"),
        _imagen("imagen-4.0-ultra-generate-001", "Imagen 4 Ultra", "1K", "2K"),
        _imagen("imagen-4.0-fast-generate-001", "Imagen 4 Fast", "1K"),
        _imagen("imagen-3.0-generate-002", "Imagen 3", "1K"),
    )
}

# Retired id: the model that Google's answer names in its place.
RETIRED_MODELS: Mapping[str, str] = {
    "gemini-3.1-flash-image-preview": "gemini-3.1-flash-image",
    "gemini-3-pro-image-preview": "gemini-3-pro-image",
    "gemini-2.5-flash-image-preview": "gemini-2.5-flash-image",
}


def served_models(*, imagen: bool) -> Mapping[str, Model]:
    """Every model that answers; Imagen, shut down on 2026-08-17, only when revived."""
    return {**MODELS, **IMAGEN_MODELS} if imagen else MODELS
