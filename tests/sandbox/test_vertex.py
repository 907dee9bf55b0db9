"""Vertex AI's paths: a bearer token for a project, an API key for express mode, and its own fields."""

import httpx2
import pytest

from tests.sandbox.caller import MODEL, Caller, picture

_PROJECT = "/v1beta1/projects/p1/locations/global/publishers/google/models"
_EXPRESS = "/v1beta1/publishers/google/models"
_BODY = {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}]}


def _with_token(caller: Caller, path: str) -> httpx2.Response:
    return caller.http.post(path, json=_BODY, headers={"authorization": "Bearer anything"})


def test_a_project_takes_any_bearer_token(caller: Caller) -> None:
    assert picture(_with_token(caller, f"{_PROJECT}/{MODEL}:generateContent")).size == (1024, 1024)


def test_a_project_without_credentials_is_401(caller: Caller) -> None:
    answer = caller.http.post(f"{_PROJECT}/{MODEL}:generateContent", json=_BODY)

    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_express_mode_takes_an_api_key_but_no_token(caller: Caller) -> None:
    path = f"{_EXPRESS}/{MODEL}:generateContent"

    assert caller.post(path, _BODY).status_code == 200
    assert _with_token(caller, path).status_code == 403


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg"])
def test_vertex_lets_the_caller_choose_the_file_type(caller: Caller, mime_type: str) -> None:
    options = {
        "imageOutputOptions": {"mimeType": mime_type, "compressionQuality": 80},
        "personGeneration": "ALLOW_ALL",
    }
    body = {**_BODY, "generationConfig": {"imageConfig": options}}

    answer = caller.post(f"{_EXPRESS}/{MODEL}:generateContent", body)

    assert picture(answer).get_format_mimetype() == mime_type


def test_vertex_words_its_404_differently(caller: Caller) -> None:
    answer = _with_token(caller, f"{_PROJECT}/gemini-3-pro-image-preview:generateContent")

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == (
        "Publisher model 'projects/p1/locations/global/publishers/google/models/gemini-3-pro-image-preview' was not"
        " found or your project does not have access to it"
    )


def test_vertex_lists_publisher_models(caller: Caller) -> None:
    listed = caller.get(_EXPRESS).json()["publisherModels"]

    assert f"publishers/google/models/{MODEL}" in [model["name"] for model in listed]
    assert caller.get(f"{_EXPRESS}/{MODEL}").json()["name"] == f"publishers/google/models/{MODEL}"
