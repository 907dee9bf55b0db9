"""Forms are taken from our own pages alone: what another site makes a browser send is refused."""

from urllib.parse import urlsplit

from fastapi import Depends, Request

from nanobanana.errors import NanoBananaError
from nanobanana.web.dependencies import ServicesDep

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class CrossSiteRequestError(NanoBananaError):
    status = 403
    code = "cross_site_request"
    type = "permission_error"

    def __init__(self, public_url: str | None) -> None:
        where = f"at {public_url}" if public_url else "anew"
        super().__init__(f"This form was not sent from a page of ours. Open the page {where} and try again.")


async def _check(request: Request, services: ServicesDep) -> None:
    """Browsers tell where a form stood: in Sec-Fetch-Site over https and on localhost, in Origin everywhere. What
    tells neither is no browser, and has the API."""
    if request.method in _SAFE_METHODS:
        return
    public_url = services.settings.public_url
    if site := request.headers.get("sec-fetch-site"):
        # `none` is nobody's page: the browser itself sends a form again.
        ours = site in {"same-origin", "none"}
    elif public_url:
        ours = _origin(request.headers.get("origin", "")) == _origin(public_url)
    else:
        ours = _names_host(request)
    if not ours:
        raise CrossSiteRequestError(public_url)


def _names_host(request: Request) -> bool:
    """Without the scheme, which a proxy may have changed on the way. No page can choose the Host we are asked for."""
    host = request.headers.get("origin", "").partition("://")[2]
    return host != "" and host == request.headers.get("host")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, however they are spelled."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None, None


# For routers of pages: whatever would change something was sent from a page of ours, else 403.
FromOurPages = Depends(_check)
