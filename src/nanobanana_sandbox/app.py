"""The sandbox's routes."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from nanobanana_sandbox import catalogue, control, generation
from nanobanana_sandbox.answers import Answer
from nanobanana_sandbox.config import SandboxConfig
from nanobanana_sandbox.errors import GoogleError
from nanobanana_sandbox.sandbox import Sandbox

_DEVELOPER_PARENTS = ("/v1/models", "/v1beta/models")
_VERTEX_PARENTS = tuple(
    f"/{version}{project}/publishers/google/models"
    for version in ("v1", "v1beta1")
    for project in ("", "/projects/{project}/locations/{location}")
)


def create_app(config: SandboxConfig) -> Starlette:
    app = Starlette(
        routes=[*_google_routes(), *_control_routes()],
        exception_handlers={GoogleError: _google_error, HTTPException: _no_such_page},
    )
    app.state.sandbox = Sandbox(config)
    return app


def _google_routes() -> list[Route]:
    return [
        route
        for parent in (*_DEVELOPER_PARENTS, *_VERTEX_PARENTS)
        for route in (
            Route(f"{parent}/{{model}}:{{method}}", generation.generate, methods=["POST"]),
            Route(f"{parent}/{{model}}", catalogue.get_model, methods=["GET"]),
            Route(parent, catalogue.list_models, methods=["GET"]),
        )
    ]


def _control_routes() -> list[Route]:
    return [
        Route("/_sandbox/scenarios", control.list_scenarios, methods=["GET"]),
        Route("/_sandbox/script", control.extend_script, methods=["POST"]),
        Route("/_sandbox/script", control.clear_script, methods=["DELETE"]),
        Route("/_sandbox/standing", control.stand, methods=["PUT"]),
        Route("/_sandbox/calls", control.list_calls, methods=["GET"]),
        Route("/_sandbox/calls", control.clear_calls, methods=["DELETE"]),
    ]


async def _google_error(request: Request, error: Exception) -> Answer:
    del request
    if not isinstance(error, GoogleError):
        raise error
    return Answer.json(error.body, status_code=error.code)


async def _no_such_page(request: Request, error: Exception) -> Answer:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 404
    page = f"<!DOCTYPE html>\n<title>Error {status}</title>\n<p><b>{status}.</b> That's an error.\n"
    return Answer.html(page.encode(), status_code=status)
