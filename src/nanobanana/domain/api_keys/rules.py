"""The shape of a key: `nb_live_` or `nb_test_`, 30 random base62 characters, 6 of their CRC32."""

import hashlib
import hmac
import ipaddress
import re
import secrets
import zlib
from typing import Any

from nanobanana.domain.api_keys.types import ApiKey, Mode
from nanobanana.kit import base62

_SHAPE = re.compile(r"nb_(live|test)_[0-9A-Za-z]{36}")
_CHECKSUM_LENGTH = 6


def new_key(mode: Mode) -> str:
    body = f"nb_{mode}_" + "".join(secrets.choice(base62.ALPHABET) for _ in range(30))
    return body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Whether the key is whole and its checksum fits; most typing errors end here, without the database."""
    body, checksum = key[:-_CHECKSUM_LENGTH], key[-_CHECKSUM_LENGTH:]
    return bool(_SHAPE.fullmatch(key)) and checksum == _checksum(body)


def hash_key(key: str, secret: str) -> bytes:
    """What is stored of a key. Keys are random and long, so a keyed hash suffices where passwords need argon2."""
    return hmac.digest(secret.encode(), key.encode(), hashlib.sha256)


def told_of_rotation(api_key: ApiKey) -> dict[str, Any]:
    """What webhooks say about it."""
    names = ("id", "name", "mode", "last4", "previous_last4", "previous_expires_at")
    return {name: getattr(api_key, name) for name in names}


def normalised_network(text: str) -> str:
    """`10.1.2.3` becomes `10.1.2.3/32`, `10.1.2.3/8` becomes `10.0.0.0/8`; raises ValueError for anything else.

    IPv4 within IPv6 becomes IPv4, as callers' addresses do."""
    if "%" in text:
        raise ValueError("a zone means something on one machine only")
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        inside = network.network_address.ipv4_mapped
        network = ipaddress.ip_network((inside, network.prefixlen - 96)) if inside else network
    return str(network)


def _checksum(body: str) -> str:
    return base62.encode(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)
