"""Which URLs an endpoint may have. Read by the parser that also sends, so that both see the same host."""

from yarl import URL

from nanobanana.integrations.webhooks.errors import RefusedUrlError

# Other ports below this one belong to mail, databases and the like, which take a POST for something else.
_FIRST_FREE_PORT = 1024


def parse(text: str, *, https_only: bool) -> URL:
    """Raises RefusedUrlError."""
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        raise RefusedUrlError("This must be a URL, as in 'https://example.com/webhooks'.") from None
    if url.scheme not in {"https", "http"} or not url.raw_host:
        raise RefusedUrlError("This must begin with 'https://' and a host.")
    if https_only and url.scheme != "https":
        raise RefusedUrlError(
            "This must begin with 'https://': what is sent there is not for everybody to read."
        )
    if url.raw_user is not None or url.raw_password is not None:
        raise RefusedUrlError(
            "This must not hold a user or a password. Deliveries are signed: verify the signature."
        )
    if url.raw_fragment:
        raise RefusedUrlError("This must not hold a '#': what follows it is never sent.")
    if port not in {80, 443} and (port or 0) < _FIRST_FREE_PORT:
        raise RefusedUrlError(f"The port must be 443, 80, or {_FIRST_FREE_PORT} or above.")
    return url
