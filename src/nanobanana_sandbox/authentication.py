"""Who may call: an API key on the list, or any bearer token where a Vertex project is named."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from starlette.requests import Request

from nanobanana_sandbox import errors


def authenticate(request: Request, *, api_keys: Sequence[str]) -> str:
    """Return the key or token; it also names the caller's script and journal."""
    bearer = _bearer_token(request)
    if "project" in request.path_params and bearer:
        return bearer
    key = api_key(request)
    if not key:
        raise (
            errors.missing_credentials() if "project" in request.path_params else errors.unregistered_caller()
        )
    if not any(fnmatchcase(key, pattern) for pattern in api_keys):
        raise errors.api_key_invalid()
    return key


def api_key(request: Request) -> str | None:
    return request.headers.get("x-goog-api-key") or request.query_params.get("key")


def _bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
