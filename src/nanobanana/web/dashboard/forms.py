"""What forms bring, and the token that ties them to the session whose page they stood on."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from nanobanana.errors import NanoBananaError


class StaleFormError(NanoBananaError):
    """The form token is missing, forged, or of another session."""

    status = 403
    code = "stale_form"
    type = "permission_error"

    def __init__(self) -> None:
        super().__init__("This page was loaded before you last logged in. Reload it and try again.")


def form_token(session_id: str, secret: str) -> str:
    return hmac.digest(secret.encode(), f"form:{session_id}".encode(), hashlib.sha256).hex()


def check_form_token(token: str, *, session_id: str, secrets: Sequence[str]) -> None:
    """All secrets verify: a page that was loaded before they changed is still good."""
    rights = [form_token(session_id, secret) for secret in secrets]
    if not any(hmac.compare_digest(token.encode(), right.encode()) for right in rights):
        raise StaleFormError


async def _fields(request: Request) -> Mapping[str, str]:
    fields = parse_qs((await request.body()).decode(errors="replace"))
    return {name: values[0] for name, values in fields.items()}


# Fields by name, without those that are empty.
Form = Annotated[Mapping[str, str], Depends(_fields)]
