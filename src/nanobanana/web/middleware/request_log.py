"""Every request gets an id, its client's address, a log line and a place in the metrics; none gets away with a bare exception."""

import re
import time
from collections.abc import Sequence
from functools import cache

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nanobanana.errors import InternalError
from nanobanana.kit.addresses import IPNetwork
from nanobanana.kit.ids import new_id
from nanobanana.metrics import REQUEST_SECONDS, REQUESTS
from nanobanana.web.client_address import client_address
from nanobanana.web.errors import error_response

# A caller's own id is taken over when it could not harm a log and is no key.
_SANE_ID = re.compile(r"(?!nb_)[0-9A-Za-z_.-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger()


class RequestLog:
    def __init__(self, app: ASGIApp, *, trusted_proxies: Sequence[IPNetwork], on_fly: bool) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._on_fly = on_fly

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["client_address"] = client_address(scope, trusted=self._trusted_proxies, on_fly=self._on_fly)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request_broke", request_id=request_id, method=scope["method"], path=scope["path"])
            if status:
                raise  # too late for another answer: the server cuts the connection
            await error_response(InternalError(), scope)(scope, receive, send_with_id)
        finally:
            _record(scope, status, time.perf_counter() - started, request_id)


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _SANE_ID.fullmatch(offered) else new_id("req")


def _route(scope: Scope) -> str:
    """The pattern of the path: ids and guesses would make a time series each."""
    if "route" not in scope:
        return "unknown"
    path = f"{scope['path']}/"
    # The last one first, in whole parts: what is then to the right of a value is the pattern's own.
    for name, value in reversed(scope["path_params"].items()):
        before, _, after = path.rpartition(f"/{value}/")
        path = f"{before}/{{{name}}}/{after}"
    return path.removesuffix("/")


# There are as many as routes, methods and statuses; looking one up by its labels costs more than counting.
_counter = cache(REQUESTS.labels)
_histogram = cache(REQUEST_SECONDS.labels)


def _record(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    _counter(method, route, status).inc()
    _histogram(route).observe(seconds)
    log.info(
        "request",
        request_id=request_id,
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=round(seconds * 1000, 1),
        client=str(scope["state"]["client_address"]),
    )
