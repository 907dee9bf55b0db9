"""Reads the requests of the busiest route by hand, as its signature says. The framework's dependencies, which all other
routes use, would be a third of what a refusal costs."""

import json
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined
from starlette.types import Receive, Scope, Send

from nanobanana.errors import InvalidRequestError
from nanobanana.web.api.schemas.generations import NewGeneration
from nanobanana.web.api.schemas.headers import IdempotencyKey
from nanobanana.web.dependencies import base_url, bearer_text, recent_key, require_json, services_of

_DRY_RUN = TypeAdapter(bool)
_IDEMPOTENCY_KEY: TypeAdapter[str | None] = TypeAdapter(IdempotencyKey)
_BODY = TypeAdapter(NewGeneration)


class GenerateRoute(APIRoute):
    """In the documentation a route like any other; a test holds its answers against such a one's."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # The framework's own brings what dependencies need, and catches errors that its middleware catches as well.
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        await require_json(request)
        body = _parsed(await request.body())
        services = await services_of(request)
        key = await recent_key(services, bearer_text(request))
        response: Response = await self.endpoint(
            **_arguments(request, body),
            key=key,
            services=services,
            client_address=request.state.client_address,
            base_url=await base_url(services, request),
        )
        return response


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else PydanticUndefined
    except json.JSONDecodeError as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body", error.pos)}]) from None
    except (UnicodeDecodeError, RecursionError):
        raise InvalidRequestError("The body is not readable as JSON.") from None


def _arguments(request: Request, body: Any) -> dict[str, Any]:
    """Query, headers and body; raises all that is wrong with them at once."""
    errors: list[Any] = []

    def read(adapter: TypeAdapter[Any], value: object, *loc: str) -> Any:
        try:
            return adapter.validate_python(value, from_attributes=True)
        except ValidationError as error:
            errors.extend({**problem, "loc": (*loc, *problem["loc"])} for problem in error.errors())

    arguments: dict[str, Any] = {"prefer": request.headers.getlist("prefer")}
    if (dry_run := request.query_params.get("dry_run")) is not None:
        arguments["dry_run"] = read(_DRY_RUN, dry_run, "query", "dry_run")
    if (idempotency_key := request.headers.get("idempotency-key")) is not None:
        arguments["idempotency_key"] = read(_IDEMPOTENCY_KEY, idempotency_key, "header", "idempotency-key")
    if body is PydanticUndefined:
        errors.append({"type": "missing", "loc": ("body",)})
    else:
        arguments["body"] = read(_BODY, body, "body")
    if errors:
        raise RequestValidationError(errors)
    return arguments
