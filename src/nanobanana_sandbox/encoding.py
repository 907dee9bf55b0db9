"""Pillow images as files, on demand of a wanted size in bytes."""

import io
import struct
import zlib

from PIL import Image, ImageChops

from nanobanana_sandbox.chance import chance

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START = 2
_SEGMENT_MAX = 65_533


def encode(image: Image.Image, *, mime_type: str, file_bytes: int | None = None) -> bytes:
    """Return a PNG or JPEG; with `file_bytes`, one of exactly that size where the picture itself is not larger.

    Noise makes most of the size, so that decoding costs what a rich picture of that size costs; the last few
    per cent are padding that decoders skip.
    """
    natural = _encode(image, mime_type)
    if file_bytes is None or len(natural) >= file_bytes:
        return natural
    noisy = _with_noise_up_to(image, mime_type, file_bytes) or natural
    return _padded(noisy, mime_type, file_bytes)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _encode(image: Image.Image, mime_type: str) -> bytes:
    file = io.BytesIO()
    if mime_type == "image/png":
        image.save(file, "PNG", compress_level=3)
    else:
        image.save(file, "JPEG", quality=93, subsampling=0)
    return file.getvalue()


def _with_noise_up_to(image: Image.Image, mime_type: str, file_bytes: int) -> bytes | None:
    """Return the noisiest of a few encodings that still fits, or None."""
    noise = Image.frombytes("RGB", image.size, chance(0).randbytes(image.width * image.height * 3))
    best = None
    low, high = 0.0, 1.0
    for _ in range(6):
        amplitude = (low + high) / 2
        file = _encode(_noisy(image, noise, amplitude), mime_type)
        if len(file) <= file_bytes:
            best, low = file, amplitude
        else:
            high = amplitude
    return best


def _noisy(image: Image.Image, noise: Image.Image, amplitude: float) -> Image.Image:
    return ImageChops.add(image, noise.point(lambda value: int((value - 128) * amplitude) % 256))


def _padded(file: bytes, mime_type: str, file_bytes: int) -> bytes:
    missing = file_bytes - len(file)
    if mime_type == "image/png":
        return file if missing < 12 else file[:-12] + png_chunk(b"npAd", bytes(missing - 12)) + file[-12:]
    return file[:_JPEG_START] + _comments(missing) + file[_JPEG_START:]


def _comments(size: int) -> bytes:
    """JPEG comment segments of that many bytes in all; less than four bytes cannot be filled."""
    segments = b""
    while size >= 4:
        length = min(size - 2, _SEGMENT_MAX)
        length -= 4 if 0 < size - 2 - length < 4 else 0
        segments += struct.pack(">HH", 0xFFFE, length) + bytes(length - 2)
        size -= length + 2
    return segments
