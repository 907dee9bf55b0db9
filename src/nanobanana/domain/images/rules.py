"""From the bytes Google sent to exactly the picture that was asked for. Pure, and CPU-bound: run in a thread."""

import io
from typing import Any

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.domain.images.types import ImageFormat, Picture
from nanobanana.domain.images.watermark import watermarked

# Google's largest picture. More is a decompression bomb, not an answer.
MAX_PIXELS = 5504 * 3072

_FORMATS: dict[str, ImageFormat] = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp"}

# Pillow opens no cut-off WebP, so any end will do.
_END_MARKS: dict[ImageFormat, bytes] = {"png": b"IEND\xaeB`\x82", "jpeg": b"\xff\xd9", "webp": b""}

_ENCODING: dict[ImageFormat, dict[str, Any]] = {
    "png": {"compress_level": 6},
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 92, "method": 4},
}

# Which modes' pixels a colour profile of this kind tells the colours of.
_PROFILED = {b"RGB ": {"RGB", "RGBA"}, b"GRAY": {"L"}}

THUMBNAIL_SIDE = 512
_THUMBNAIL_ENCODING = {"quality": 80, "method": 2}


def inspect(data: bytes) -> Picture:
    """Format and size as the header tells; cheap, decodes no pixel."""
    try:
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            format, (width, height) = _FORMATS[image.format or ""], image.size
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        LookupError,
        ValueError,
        SyntaxError,
    ) as error:
        raise UnusablePictureError(f"not a picture: {error}") from error
    picture = Picture(data=data, format=format, width=width, height=height)
    if width * height > MAX_PIXELS:
        raise UnusablePictureError(f"{width}x{height} is more than {MAX_PIXELS} pixels")
    if not _is_whole(picture):
        raise UnusablePictureError(f"the {picture.format} ends early")
    return picture


def decode(data: bytes) -> Picture:
    """As `inspect`, with every pixel looked at. CPU-bound."""
    picture = inspect(data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise UnusablePictureError(f"the {picture.format} does not decode: {error}") from error
    return picture


def matches(picture: Picture, *, width: int, height: int, format: ImageFormat | None) -> bool:
    return (picture.width, picture.height) == (width, height) and format in {None, picture.format}


def fit(
    picture: Picture,
    *,
    width: int,
    height: int,
    format: ImageFormat | None,
    id: str | None = None,
    watermark: str | None = None,
) -> Picture:
    """Scaled until it covers width x height, cropped around the centre, never stretched; re-encoded. The colours stay,
    with their profile; all other metadata of the source goes, and `id` is all there is of ours."""
    wanted = format or picture.format
    try:
        with Image.open(io.BytesIO(picture.data)) as image:
            image.load()
            fitted = ImageOps.fit(
                _for_encoding(image, wanted), (width, height), method=Image.Resampling.LANCZOS
            )
    except (OSError, ValueError, SyntaxError) as error:
        raise UnusablePictureError(f"the {picture.format} does not decode: {error}") from error
    if watermark:
        fitted = watermarked(fitted, watermark)
    data = _encoded(fitted, wanted, exif=_unique_id(id) if id else b"", **_ENCODING[wanted])
    return Picture(data=data, format=wanted, width=width, height=height)


def thumbnail(data: bytes) -> bytes:
    """WebP, 512 pixels on the longer side. Raises UnusablePictureError."""
    try:
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            scale = THUMBNAIL_SIDE / max(image.size)
            size = (round(image.width * scale), round(image.height * scale))
            # A JPEG is decoded at a half or a quarter of its size already, which takes a fraction of the time.
            image.draft(None, size)
            image.load()
            small = _for_encoding(image, "webp").resize(size, Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError) as error:
        raise UnusablePictureError(f"it does not decode: {error}") from error
    return _encoded(small, "webp", **_THUMBNAIL_ENCODING)


def _is_whole(picture: Picture) -> bool:
    """Whether the end is there. A cut-off file would open and only fail when somebody looks at it."""
    # Encoders may pad a few bytes after the last mark.
    return _END_MARKS[picture.format] in picture.data[-64:]


def _for_encoding(image: Image.Image, format: ImageFormat) -> Image.Image:
    """In a mode that the format can hold: JPEG knows no transparency, none of them palettes worth scaling."""
    if image.mode in {"RGB", "L"}:
        return image
    if format == "jpeg" or "A" not in image.getbands():
        return image.convert("RGB")
    return image.convert("RGBA")


def _encoded(image: Image.Image, format: ImageFormat, **options: Any) -> bytes:
    profile = image.info.get("icc_profile", b"")
    mode = "RGB" if format == "webp" and image.mode == "L" else image.mode
    keeps_profile = mode in _PROFILED.get(profile[16:20], ())
    # Else Pillow would write comments and XMP of the source into some formats.
    image.info.clear()
    encoded = io.BytesIO()
    image.save(encoded, format.upper(), icc_profile=profile if keeps_profile else None, **options)
    return encoded.getvalue()


def _unique_id(id: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ImageUniqueID] = id
    return exif.tobytes()
