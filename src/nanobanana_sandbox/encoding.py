"""Pictures as files, of a wanted size in bytes if asked."""

import io
import struct
import zlib

from PIL import Image

from nanobanana_sandbox.chance import chance

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Length, kind and checksum; the closing chunk is nothing but these.
_PNG_CHUNK_OVERHEAD = 12
_JPEG_START = 2
_JPEG_SEGMENT_MAX = 65_535
# Below 1, so that the noise does not overshoot where the picture is richer than its average.
_NOISE_SHARE_OF_SIZE = 0.97


def encode(image: Image.Image, *, mime_type: str, file_bytes: int | None = None) -> bytes:
    """Return a PNG or JPEG; with `file_bytes`, one of about that size where the picture itself is not larger.

    A band of noise makes the size, so that decoding costs what a rich picture of that size costs; the last few
    per cent are padding that decoders skip. The noisiest picture is the limit.
    """
    natural = _encode(image, mime_type)
    if file_bytes is None or len(natural) >= file_bytes:
        return natural
    noisiest = _encode(_with_noise(image, share=1), mime_type)
    share = (_NOISE_SHARE_OF_SIZE * file_bytes - len(natural)) / (len(noisiest) - len(natural))
    noisy = _encode(_with_noise(image, share=min(1, max(0, share))), mime_type)
    return _padded(noisy, mime_type, file_bytes - len(noisy))


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _encode(image: Image.Image, mime_type: str) -> bytes:
    file = io.BytesIO()
    if mime_type == "image/png":
        image.save(file, "PNG", compress_level=1)
    else:
        image.save(file, "JPEG", quality=93, subsampling=0)
    return file.getvalue()


def _with_noise(image: Image.Image, *, share: float) -> Image.Image:
    """Cover that share of the picture, from the top, with coloured noise."""
    width, height = image.width, round(image.height * share)
    if height == 0:
        return image
    noise = Image.frombytes("RGB", (width, height), chance(0).randbytes(width * height * 3))
    noisy = image.copy()
    noisy.paste(Image.blend(image.crop((0, 0, width, height)), noise, 0.5))
    return noisy


def _padded(file: bytes, mime_type: str, missing: int) -> bytes:
    """Fill up with what decoders skip; a gap smaller than the filling's own header stays."""
    if mime_type == "image/png":
        end = len(file) - _PNG_CHUNK_OVERHEAD
        chunk = (
            png_chunk(b"npAd", bytes(missing - _PNG_CHUNK_OVERHEAD))
            if missing >= _PNG_CHUNK_OVERHEAD
            else b""
        )
        return file[:end] + chunk + file[end:]
    return file[:_JPEG_START] + _jpeg_comments(missing) + file[_JPEG_START:]


def _jpeg_comments(size: int) -> bytes:
    segments = b""
    while size - len(segments) >= 4:
        length = min(size - len(segments) - 2, _JPEG_SEGMENT_MAX)
        segments += struct.pack(">HH", 0xFFFE, length) + bytes(length - 2)
    return segments
