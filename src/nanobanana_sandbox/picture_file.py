"""The bytes of one picture file, whole or damaged as ordered."""

import hashlib
import struct
import zlib

from nanobanana_sandbox import encoding
from nanobanana_sandbox.chance import chance
from nanobanana_sandbox.orders import PictureOrder
from nanobanana_sandbox.painter.scene import paint_scene
from nanobanana_sandbox.painter.test_card import paint_test_card
from nanobanana_sandbox.plan import Damage

_WRONG_SIZE = (640, 360)
_BOMB_SIDE = 50_000


def picture_file(order: PictureOrder) -> bytes:
    """Draw and encode. The same order gives the same bytes on the same Pillow."""
    if order.damage is Damage.NOT_AN_IMAGE:
        return chance(order.prompt).randbytes(20_000)
    if order.damage is Damage.DECOMPRESSION_BOMB:
        return _decompression_bomb()
    size = _WRONG_SIZE if order.damage is Damage.WRONG_SIZE else order.size
    image = paint_test_card(size) if order.test_card else paint_scene(order.prompt, _seed(order), size)
    file = encoding.encode(image, mime_type=order.mime_type, file_bytes=order.file_bytes)
    return file[: len(file) // 2] if order.damage is Damage.CUT_IN_HALF else file


def _seed(order: PictureOrder) -> int:
    digest = hashlib.sha256(f"{order.prompt}\0{order.seed}\0{order.variant}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _decompression_bomb() -> bytes:
    """Return a PNG of a few hundred bytes whose header promises 50,000 x 50,000 pixels."""
    header = struct.pack(">IIBBBBB", _BOMB_SIDE, _BOMB_SIDE, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000), 9)
    return encoding.PNG_SIGNATURE + b"".join(
        encoding.png_chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )
