"""Which of a protocol's shapes loses least of the picture."""

from collections.abc import Mapping

Sizes = Mapping[str, tuple[int, int]]

# Native pixels at 1K: https://ai.google.dev/gemini-api/docs/image-generation, 2026-09-08. The ratios beyond 21:9
# are left out, because not every model has them.
GENERATE_CONTENT: Sizes = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
# Native pixels of Imagen 3 and 4, from their Vertex AI model pages.
PREDICT: Sizes = {
    "1:1": (1024, 1024),
    "3:4": (896, 1280),
    "4:3": (1280, 896),
    "9:16": (768, 1408),
    "16:9": (1408, 768),
}


def closest(width: int, height: int, sizes: Sizes) -> str:
    """Return the ratio of which scale-to-cover and centre crop to `width` x `height` keep the largest share."""
    return max(sizes, key=lambda ratio: _kept(sizes[ratio], (width, height)))


def _kept(native: tuple[int, int], wanted: tuple[int, int]) -> float:
    across, down = native[0] * wanted[1], native[1] * wanted[0]
    return min(across, down) / max(across, down)
