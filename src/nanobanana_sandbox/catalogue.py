"""`GET models` and `GET models/{id}`, for both APIs."""

from typing import Any

from starlette.requests import Request

from nanobanana_sandbox import errors
from nanobanana_sandbox.answers import Answer
from nanobanana_sandbox.authentication import authenticate
from nanobanana_sandbox.models import Model
from nanobanana_sandbox.sandbox import Sandbox


async def list_models(request: Request) -> Answer:
    models = _models(request).values()
    if _is_vertex(request):
        return Answer.json({"publisherModels": [_publisher_model(model) for model in models]})
    return Answer.json({"models": [_model(model) for model in models]})


async def get_model(request: Request) -> Answer:
    model = _models(request).get(request.path_params["model"])
    if model is None:
        name = f"models/{request.path_params['model']}"
        raise errors.GoogleError(
            404, "NOT_FOUND", f"Model is not found: {name} for api version {_version(request)}"
        )
    return Answer.json(_publisher_model(model) if _is_vertex(request) else _model(model))


def _models(request: Request) -> dict[str, Model]:
    sandbox: Sandbox = request.app.state.sandbox
    authenticate(request, api_keys=sandbox.config.api_keys)
    return dict(sandbox.models)


def _is_vertex(request: Request) -> bool:
    return "/publishers/google/" in request.url.path


def _version(request: Request) -> str:
    return request.url.path.split("/")[1]


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.display_name,
        "description": f"{model.display_name}, as the sandbox draws it.",
        "inputTokenLimit": 65_536,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": [model.method],
    }


def _publisher_model(model: Model) -> dict[str, Any]:
    return {"name": f"publishers/google/models/{model.id}", "versionId": "001", "launchStage": "GA"}
