"""`:generateContent` on the wire: answers, authentication, refusals."""

import json

import pytest

from tests.sandbox.caller import MODEL, Caller, final_part, picture


def test_an_answer_has_googles_shape_and_headers(caller: Caller) -> None:
    answer = caller.generate()

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["vary"] == "X-Origin, Referer"
    assert answer.headers["server-timing"].startswith("gfet4t7; dur=")
    assert answer.text.startswith('{\n  "candidates": [\n    {\n      "content"')
    assert body["candidates"][0]["finishReason"] == "STOP"
    assert body["candidates"][0]["content"]["role"] == "model"
    assert body["modelVersion"] == MODEL
    assert final_part(answer)["inlineData"]["mimeType"] == "image/jpeg"
    assert len(final_part(answer)["thoughtSignature"]) == 4000  # 3,000 bytes in base64
    assert picture(answer).size == (1024, 1024)


def test_every_answer_has_an_id_of_its_own(caller: Caller) -> None:
    ids = {caller.generate().json()["responseId"] for _ in range(3)}

    assert len(ids) == 3


def test_usage_counts_as_google_does(caller: Caller) -> None:
    usage = caller.generate().json()["usageMetadata"]
    refused = caller.generate(scenario="image_safety").json()["usageMetadata"]

    surplus = usage["candidatesTokenCount"] - usage["candidatesTokensDetails"][0]["tokenCount"]
    parts = usage["promptTokenCount"] + usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    assert 88 <= surplus <= 630
    assert usage["totalTokenCount"] == parts
    assert refused["candidatesTokenCount"] == refused["thoughtsTokenCount"]
    assert refused["totalTokenCount"] == refused["promptTokenCount"] + refused["thoughtsTokenCount"]


def test_the_same_prompt_and_seed_draw_the_same_picture(caller: Caller) -> None:
    first, again = (final_part(caller.generate("a fox", config={"seed": 7})) for _ in range(2))
    other_seed = final_part(caller.generate("a fox", config={"seed": 8}))
    other_prompt = final_part(caller.generate("a wolf", config={"seed": 7}))

    assert first == again
    assert len({part["inlineData"]["data"] for part in (first, other_seed, other_prompt)}) == 3


def test_a_scenario_in_the_prompt_leaves_the_picture_as_it_is(caller: Caller) -> None:
    plain = final_part(caller.generate("a fox"))
    with_token = final_part(caller.generate("[sandbox:text_before] a fox"))

    assert plain["inlineData"] == with_token["inlineData"]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_both_versions_answer(caller: Caller, version: str) -> None:
    answer = caller.post(
        f"/{version}/models/{MODEL}:generateContent", {"contents": {"parts": {"text": "a fox"}}}
    )

    assert answer.status_code == 200


def test_a_stream_is_one_event(caller: Caller) -> None:
    answer = caller.generate(method="streamGenerateContent?alt=sse")

    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text.startswith("data: {") and answer.text.endswith("}\r\n\r\n")  # noqa: PT018  # one frame
    assert answer.text.count("\n") == 2
    assert json.loads(answer.text[6:])["candidates"][0]["finishReason"] == "STOP"


def test_a_stream_without_sse_is_a_list_of_one(caller: Caller) -> None:
    whole = caller.generate(method="streamGenerateContent")
    failed = caller.generate(method="streamGenerateContent", scenario="overloaded")

    assert whole.json()[0]["candidates"][0]["finishReason"] == "STOP"
    assert failed.status_code == 503
    assert failed.json()[0]["error"]["status"] == "UNAVAILABLE"


def test_without_a_key_the_caller_is_unregistered(caller: Caller) -> None:
    answer = caller.http.post(f"/v1beta/models/{MODEL}:generateContent", json={})

    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
    assert answer.json()["error"]["message"].startswith("Method doesn't allow unregistered callers")
    assert "details" not in answer.json()["error"]


def test_an_unknown_key_is_invalid_with_both_details(caller: Caller) -> None:
    answer = caller.http.post(f"/v1beta/models/{MODEL}:generateContent?key=nobody", json={})

    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert [detail["@type"].rsplit(".", 1)[1] for detail in error["details"]] == [
        "ErrorInfo",
        "LocalizedMessage",
    ]
    assert error["details"][0]["reason"] == "API_KEY_INVALID"


def test_the_key_may_stand_in_the_query(caller: Caller) -> None:
    body = {"contents": [{"parts": [{"text": "a fox"}]}]}

    answer = caller.http.post(f"/v1beta/models/{MODEL}:generateContent?key={caller.key}", json=body)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "gemini-99",
            "models/gemini-99 is not found for API version v1beta, or is not supported for generateContent.",
        ),
        ("imagen-4.0-generate-001", "models/imagen-4.0-generate-001 is not found for API version v1beta"),
        (
            "gemini-3-pro-image-preview",
            "This model models/gemini-3-pro-image-preview is no longer available.",
        ),
    ],
)
def test_a_model_that_is_not_there_is_404(caller: Caller, model: str, message: str) -> None:
    answer = caller.generate(model=model)

    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"
    assert answer.json()["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("model", "image_config", "message"),
    [
        (MODEL, {"imageSize": "1k"}, "Image size is not enabled for this model"),
        (MODEL, {"imageSize": "512"}, "Image size is not enabled for this model"),
        ("gemini-3-pro-image", {"imageSize": "512"}, "Image size is not enabled for this model"),
        ("gemini-3.1-flash-lite-image", {"imageSize": "2K"}, "Image size is not enabled for this model"),
        (MODEL, {"aspectRatio": "7:5"}, "Aspect ratio is not enabled for this model"),
        ("gemini-3-pro-image", {"aspectRatio": "8:1"}, "Aspect ratio is not enabled for this model"),
        (
            MODEL,
            {"imageOutputOptions": {"mimeType": "image/png"}},
            (
                "Invalid JSON payload received. Unknown name \"imageOutputOptions\" at 'generation_config.image_config':"
                " Cannot find field."
            ),
        ),
    ],
)
def test_what_the_model_cannot_do_is_400(
    caller: Caller, model: str, image_config: dict[str, str], message: str
) -> None:
    answer = caller.generate(model=model, config={"imageConfig": image_config})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message


def test_text_only_modality_gives_text(caller: Caller) -> None:
    answer = caller.generate(config={"responseModalities": ["TEXT"]})

    assert list(answer.json()["candidates"][0]["content"]["parts"][0]) == ["text"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "contents is not specified"),
        ({"contents": [{"parts": []}]}, "contents.parts must not be empty"),
        ({"contents": [{"parts": [{}]}]}, "required oneof field 'data'"),
        (
            {"contents": [{"role": "robot", "parts": [{"text": "x"}]}]},
            "Please use a valid role: user, model.",
        ),
        (
            {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"candidateCount": 2}},
            "Multiple candidates is not enabled",
        ),
        (
            {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"responseModalities": ["AUDIO"]}},
            "response modalities (AUDIO) is not supported",
        ),
    ],
)
def test_a_body_without_sense_is_400(caller: Caller, body: dict[str, object], message: str) -> None:
    answer = caller.post(f"/v1beta/models/{MODEL}:generateContent", body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_the_callers_timeout_cuts_a_slow_answer_with_504(caller: Caller) -> None:
    answer = caller.generate(scenario="latency=30", headers={"x-server-timeout": "0.05"})

    assert answer.status_code == 504
    assert answer.json()["error"]["status"] == "DEADLINE_EXCEEDED"


def test_an_unknown_scenario_is_refused_by_name(caller: Caller) -> None:
    unknown = caller.generate("[sandbox:imagesafety]")
    without_value = caller.generate("[sandbox:bytes]")
    too_much = caller.generate("[sandbox:bytes=99999999999]")

    assert unknown.status_code == without_value.status_code == too_much.status_code == 400
    assert "'imagesafety'" in unknown.json()["error"]["message"]
    assert "bytes=1500000" in without_value.json()["error"]["message"]


def test_an_unknown_page_is_404(caller: Caller) -> None:
    assert caller.get("/v1beta/nothing").status_code == 404
