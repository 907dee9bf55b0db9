"""The one place that turns errors into answers: the JSON envelope of the contract, or a page where people visit."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.types import Scope

from nanobanana.errors import InternalError, InvalidRequestError, NanoBananaError, NotFoundError
from nanobanana.web.pages import page, wants_page
from nanobanana.web.problems import message_of, param_of

log = structlog.get_logger()


class MethodNotAllowedError(NanoBananaError):
    status = 405
    code = "method_not_allowed"
    type = "invalid_request_error"


class BodyTooLargeError(NanoBananaError):
    status = 413
    code = "body_too_large"
    type = "invalid_request_error"


class RequestTimeoutError(NanoBananaError):
    status = 408
    code = "request_timeout"
    type = "invalid_request_error"
    retryable = True


class UnsupportedMediaTypeError(NanoBananaError):
    status = 415
    code = "unsupported_media_type"
    type = "invalid_request_error"


# Of pages, by code or status; any other status is called what HTTP calls it.
_TITLES: Mapping[str | int, str] = {
    "stale_form": "This form is out of date",
    400: "Something in this cannot be right",
    403: "This is not open to you",
    404: "There is nothing here",
    405: "Only a form leads here",
    410: "This picture is gone",
    429: "Too fast",
    500: "Something broke on our side",
    503: "We are not there for a moment",
}


# What to do about it, where the message does not say it.
_ADVICE = {
    404: "The link may be old, or cut off where it was copied. What you look for is perhaps in your dashboard or in the documentation.",
    410: "Pictures go for good: make it once more from the same prompt.",
    429: "Nothing is wrong with what you sent. It was more in a short time than one visitor may send, so that there is room for all.",
    500: "Try it once more. What you typed is still there when you go back.",
    503: "Nothing is lost: pictures that are on their way go on being made.",
}


def install(app: FastAPI) -> None:
    app.add_exception_handler(NanoBananaError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def error_response(
    error: NanoBananaError, scope: Scope, *, details: Sequence[Mapping[str, str]] = ()
) -> Response:
    request_id = scope["state"]["request_id"]
    if wants_page(scope):
        title = _TITLES.get(error.code) or _TITLES.get(error.status) or HTTPStatus(error.status).phrase
        return page(
            "error.html", error=error, title=title, advice=_ADVICE.get(error.status), request_id=request_id
        )
    body = envelope(error, request_id=request_id)
    if details:
        body["details"] = details
    headers = {**scope["state"].get("headers_of_errors", {}), **error.headers}
    return Response(orjson.dumps({"error": body}), error.status, headers, media_type="application/json")


def envelope(error: NanoBananaError, *, request_id: str) -> dict[str, Any]:
    """What stands in the `error` of an answer."""
    return {
        "message": error.message,
        "type": error.type,
        "code": error.code,
        "param": error.param,
        "request_id": request_id,
        "retryable": error.retryable,
        "charged": False,
        **error.more,
    }


async def _on_error(request: Request, error: Exception) -> Response:
    if error.__cause__:
        log.warning("request_failed", request_id=request.state.request_id, cause=repr(error.__cause__))
    return error_response(cast("NanoBananaError", error), request.scope)


async def _on_http_exception(request: Request, exception: Exception) -> Response:
    raised = cast("HTTPException", exception)
    error = _from_status(raised.status_code, request)
    error.headers.update(raised.headers or {})
    if isinstance(error, MethodNotAllowedError):
        error.headers["Allow"] = ", ".join(_methods_of(request))
    return error_response(error, request.scope)


def _methods_of(request: Request) -> list[str]:
    """Of all routes with this path: the framework names only those of the first."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern = re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+:path}", ".+", str(route.path)))
        if re.fullmatch(pattern, request.url.path):
            found.update(route.methods or ())
    return sorted(found)


# Somebody may paste a key where its id belongs.
_KEY = re.compile(r"nb_(live|test|session)_[\w-]+")


def _from_status(status: int, request: Request) -> NanoBananaError:
    what = f"{request.method} {_KEY.sub('...', request.url.path)}"
    if status == HTTPStatus.NOT_FOUND and wants_page(request.scope):
        return NotFoundError("There is no page at this address.")
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"There is no {what}. See /docs.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED and wants_page(request.scope):
        return MethodNotAllowedError("This address takes what a form sends, and shows nothing by itself.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return MethodNotAllowedError(
            f"There is no {what}: the header Allow names the methods of this address."
        )
    if status == HTTPStatus.BAD_REQUEST:
        return InvalidRequestError("The body is not readable as JSON.")
    return InternalError()


async def _on_invalid_request(request: Request, exception: Exception) -> Response:
    problems = cast("RequestValidationError", exception).errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        error = InvalidRequestError("The body is not valid JSON. " + _where(problems[0]))
        return error_response(error, request.scope)
    details = [{"param": param_of(problem), "message": message_of(problem)} for problem in problems]
    error = InvalidRequestError(
        " ".join(f"{detail['param']}: {detail['message']}" for detail in details), param=details[0]["param"]
    )
    return error_response(error, request.scope, details=details)


def _where(problem: Mapping[str, Any]) -> str:
    return f"It stops making sense at character {problem['loc'][-1]}."
