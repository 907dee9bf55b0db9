"""Who may call, as types: the signature of a route tells."""

import re
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator

from nanobanana.domain.accounts.types import Account
from nanobanana.domain.api_keys.errors import InvalidApiKeyError
from nanobanana.domain.api_keys.types import Bearer, Scope
from nanobanana.domain.sessions.errors import InvalidSessionError
from nanobanana.domain.sessions.service import SESSION_PREFIX
from nanobanana.domain.sessions.types import Session
from nanobanana.errors import InvalidRequestError, NotFoundError
from nanobanana.kit.addresses import IPAddress
from nanobanana.services import Services
from nanobanana.web.errors import UnsupportedMediaTypeError

_key = HTTPBearer(scheme_name="apiKey", bearerFormat="nb_live_... or nb_test_...", auto_error=False)
_session = HTTPBearer(scheme_name="session", bearerFormat="nb_session_...", auto_error=False)


# All of these are coroutines, even where nothing is awaited: FastAPI runs plain functions in threads.
async def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _client_address(request: Request) -> IPAddress:
    address: IPAddress = request.state.client_address
    return address


ServicesDep = Annotated[Services, Depends(services_of)]
_KeyHeader = Annotated[HTTPAuthorizationCredentials | None, Depends(_key)]
_SessionHeader = Annotated[HTTPAuthorizationCredentials | None, Depends(_session)]


async def recent_key(services: Services, text: str | None) -> Bearer:
    if not text:
        raise InvalidApiKeyError
    return await services.api_keys.resolve_recent(text)


async def _recent_key(services: ServicesDep, header: _KeyHeader) -> Bearer:
    return await recent_key(services, header.credentials if header else None)


def bearer_text(request: Request) -> str | None:
    """What `Authorization: Bearer ...` holds."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


async def _session_token(header: _SessionHeader) -> str:
    if header is None or not header.credentials.startswith(SESSION_PREFIX):
        raise InvalidSessionError
    return header.credentials


async def _current_session(services: ServicesDep, token: Annotated[str, Depends(_session_token)]) -> Session:
    return await services.people.sessions.use(token)


async def _session_account(services: ServicesDep, token: Annotated[str, Depends(_session_token)]) -> Account:
    return await services.people.accounts.by_session(token)


# Where the request comes from, as far as TRUSTED_PROXIES lets us believe it.
ClientAddress = Annotated[IPAddress, Depends(_client_address)]


class _AccountIdFor:
    """The account of a session, or of a living key with the scope; then the answer tells how its limits stand."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(
        self,
        *,
        services: ServicesDep,
        key: _KeyHeader,
        session: _SessionHeader,
        client_address: ClientAddress,
        request: Request,
        response: Response,
    ) -> str:
        if session and session.credentials.startswith(SESSION_PREFIX):
            return (await services.people.accounts.by_session(session.credentials)).id
        if key is None:
            raise InvalidApiKeyError
        bearer = await services.api_keys.resolve_recent(key.credentials)
        month = await services.api_keys.check(bearer, scope=self._scope, client_address=client_address)
        headers = await services.generations.limit_headers(bearer, month)
        response.headers.update(headers)
        request.state.headers_of_errors = headers
        return bearer.account_id


# A name or an address, and a port.
_HOST = re.compile(r"([\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)


async def base_url(services: ServicesDep, request: Request) -> str:
    """What no host is called goes into no link and no page: there it would mean something else, or be without end."""
    if services.settings.public_url:
        return services.settings.public_url
    host = request.headers.get("host")
    if not host:
        return str(request.base_url).rstrip("/")
    if not _HOST.fullmatch(host):
        raise InvalidRequestError("The header Host names no host.")
    return f"{request.scope['scheme']}://{host}"


async def _user_agent(request: Request) -> str | None:
    return request.headers.get("user-agent")


def of_known_shape(id: str) -> str:
    """Raises NotFoundError for what can be nobody's id."""
    if not re.fullmatch(r"[a-z]{3}_[0-9A-Za-z]{22}", id):
        raise NotFoundError("There is no such id.")
    return id


async def require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaTypeError(
            "Send the body as JSON, with the header 'Content-Type: application/json'."
        )


# Named by a key that may have died in the last seconds: whatever it does must check the key again.
RecentKey = Annotated[Bearer, Depends(_recent_key)]
# Logged in.
SessionToken = Annotated[str, Depends(_session_token)]
CurrentSession = Annotated[Session, Depends(_current_session)]
SessionAccount = Annotated[Account, Depends(_session_account)]
# Reads what belongs to the account: by a living key of it with the scope `read`, or logged in.
ReaderAccountId = Annotated[str, Depends(_AccountIdFor("read"))]
# The same with the scope `generate`.
MakerAccountId = Annotated[str, Depends(_AccountIdFor("generate"))]
# The same with the scope `usage`.
UsageReaderAccountId = Annotated[str, Depends(_AccountIdFor("usage"))]
# How links to this service begin.
BaseUrl = Annotated[str, Depends(base_url)]
# What the caller says it is.
UserAgent = Annotated[str | None, Depends(_user_agent)]
# An id in a path; what no id can be is 404 like any other that does not exist.
Id = Annotated[str, AfterValidator(of_known_shape)]
# The body is JSON, else 415.
JsonBody = Depends(require_json)
