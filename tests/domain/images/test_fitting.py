import io

import pytest
from PIL import ExifTags, Image, ImageCms, ImageDraw, PngImagePlugin

from nanobanana.domain.images import rules
from nanobanana.domain.images.errors import UnusablePictureError
from nanobanana.services import Services


def _png(width: int, height: int, *, mode: str = "RGB") -> bytes:
    encoded = io.BytesIO()
    Image.new(mode, (width, height)).save(encoded, "PNG")
    return encoded.getvalue()


def _circle_png(width: int, height: int, radius: int) -> bytes:
    image = Image.new("L", (width, height), 255)
    box = (width // 2 - radius, height // 2 - radius, width // 2 + radius, height // 2 + radius)
    ImageDraw.Draw(image).ellipse(box, fill=0)
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def test_a_picture_of_the_right_size_needs_no_touch() -> None:
    picture = rules.inspect(_png(1024, 1024))

    assert rules.matches(picture, width=1024, height=1024, format=None)
    assert not rules.matches(picture, width=1024, height=1024, format="webp")
    assert not rules.matches(picture, width=1024, height=1023, format=None)


@pytest.mark.parametrize(
    ("native", "wanted"),
    [
        ((1264, 848), (1280, 896)),
        ((848, 1264), (896, 1280)),
        ((1376, 768), (1408, 768)),
        ((768, 1376), (768, 1408)),
        ((2048, 2048), (1024, 1024)),
    ],
)
def test_a_circle_stays_a_circle(native: tuple[int, int], wanted: tuple[int, int]) -> None:
    picture = rules.inspect(_circle_png(*native, radius=300))

    fitted = rules.fit(picture, width=wanted[0], height=wanted[1], format=None)

    image = Image.open(io.BytesIO(fitted.data))
    # Darkness adds up to the diameter, to a fraction of a pixel.
    across = sum(255 - image.getpixel((x, wanted[1] // 2)) for x in range(wanted[0])) / 255
    down = sum(255 - image.getpixel((wanted[0] // 2, y)) for y in range(wanted[1])) / 255
    scale = max(wanted[0] / native[0], wanted[1] / native[1])
    assert image.size == wanted
    assert abs(across - down) < 0.5
    assert abs(across - 601 * scale) < 1.5


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_pictures_of_every_mode_fit_into_every_format(mode: str, format: str) -> None:
    picture = rules.inspect(_png(40, 30, mode=mode))

    fitted = rules.fit(picture, width=64, height=64, format=format)

    assert (fitted.format, fitted.width, fitted.height) == (format, 64, 64)
    assert rules.inspect(fitted.data) == fitted


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# As far as encoders look: the colours of another RGB space, and those of greys.
DISPLAY_P3 = SRGB[:-64] + bytes(range(64))
GREY = SRGB[:16] + b"GRAY" + SRGB[20:]


def _with_metadata(format: str, profile: bytes, *, mode: str = "RGB") -> bytes:
    """Noise, and all that a camera or a model's owner may write beside it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "a maker"
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>a maker</x:xmpmeta>")
    more = {
        "PNG": {"pnginfo": text},
        "JPEG": {"xmp": b"<x:xmpmeta>a maker</x:xmpmeta>", "comment": "a maker", "quality": 90},
        "WEBP": {"xmp": b"<x:xmpmeta>a maker</x:xmpmeta>"},
    }[format]
    encoded = io.BytesIO()
    noise = Image.effect_noise((60, 40), 50).convert(mode)
    noise.save(encoded, format, icc_profile=profile, exif=exif, **more)
    return encoded.getvalue()


def _decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("profile", [SRGB, DISPLAY_P3], ids=["sRGB", "Display P3"])
def test_a_re_encoded_picture_has_its_colour_profile_and_no_metadata_but_the_id(
    source: str, format: str, profile: bytes
) -> None:
    data = _with_metadata(source, profile)
    assert b"a maker" in data

    fitted = rules.fit(
        rules.inspect(data), width=30, height=30, format=format, id="gen_0351xffvmzhinA5Ot7fOms"
    )

    image = _decoded(fitted.data)
    exif = image.getexif()
    assert image.info["icc_profile"] == profile
    assert list(exif) == [ExifTags.IFD.Exif]
    assert exif.get_ifd(ExifTags.IFD.Exif) == {ExifTags.Base.ImageUniqueID: "gen_0351xffvmzhinA5Ot7fOms"}
    assert b"a maker" not in fitted.data


@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_that_fits_stays_as_it_is_with_all_that_is_written_beside_it(
    services: Services, source: str
) -> None:
    data = _with_metadata(source, SRGB)

    picture = await services.images.fit(
        data, width=60, height=40, format=None, id="gen_0351xffvmzhinA5Ot7fOms"
    )

    assert picture.data == data


@pytest.mark.parametrize("profile", [SRGB, DISPLAY_P3], ids=["sRGB", "Display P3"])
def test_re_encoded_in_its_own_size_a_picture_keeps_every_pixel(profile: bytes) -> None:
    data = _with_metadata("JPEG", profile)

    fitted = rules.fit(rules.inspect(data), width=60, height=40, format="png")

    assert _decoded(fitted.data).tobytes() == _decoded(data).tobytes()


@pytest.mark.parametrize(("format", "profile"), [("png", GREY), ("jpeg", GREY), ("webp", None)])
def test_a_profile_of_greys_stays_with_greys_only(format: str, profile: bytes | None) -> None:
    data = _with_metadata("PNG", GREY, mode="L")

    fitted = rules.fit(rules.inspect(data), width=30, height=30, format=format)

    assert _decoded(fitted.data).info.get("icc_profile") == profile


@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP"])
def test_a_thumbnail_has_the_colours_of_its_picture_and_no_metadata(source: str) -> None:
    small = rules.thumbnail(_with_metadata(source, DISPLAY_P3))

    image = _decoded(small)
    assert (image.format, max(image.size)) == ("WEBP", 512)
    assert image.info["icc_profile"] == DISPLAY_P3
    assert (b"a maker" in small, dict(image.getexif())) == (False, {})


@pytest.mark.parametrize("data", [b"", b"not a picture", _png(64, 64)[:-60]])
def test_no_thumbnail_is_made_of_what_does_not_decode(data: bytes) -> None:
    with pytest.raises(UnusablePictureError):
        rules.thumbnail(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(100), _png(64, 64)[:-20], b"<svg/>"],
    ids=["empty", "text", "header only", "gif", "cut off", "svg"],
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnusablePictureError):
        rules.inspect(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_cut_off_picture_is_refused_in_every_format(format: str) -> None:
    encoded = io.BytesIO()
    Image.effect_noise((200, 200), 50).convert("RGB").save(encoded, format)

    with pytest.raises(UnusablePictureError):
        rules.inspect(encoded.getvalue()[:-500])


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    # 1.2 GB of pixels in a few kilobytes: only the header may be looked at.
    bomb = bytearray(_png(64, 64))
    bomb[16:24] = (20_000).to_bytes(4, "big") + (20_000).to_bytes(4, "big")

    with pytest.raises(UnusablePictureError):
        rules.inspect(bytes(bomb))


def test_the_largest_picture_of_google_is_no_bomb() -> None:
    assert rules.MAX_PIXELS >= 5504 * 3072
