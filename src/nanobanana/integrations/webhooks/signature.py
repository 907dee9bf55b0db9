"""How deliveries are signed: the Standard Webhooks specification, version 1."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

_PREFIX = "whsec_"


def secret_text(secret: bytes) -> str:
    return _PREFIX + base64.b64encode(secret).decode()


def headers(event_id: str, timestamp: int, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """Signed with each of the secrets: whoever knows one of them can verify. `timestamp` is the attempt's."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(secret, signed, hashlib.sha256) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
