"""Spelling is lenient, names and types are strict: as Google's parser."""

import base64

import orjson
import pytest

from nanobanana_sandbox.errors import GoogleError
from nanobanana_sandbox.protojson import parse
from nanobanana_sandbox.schema import GENERATE_CONTENT, VERTEX_GENERATE_CONTENT

_BYTES = bytes(range(256))


@pytest.mark.parametrize("config", ["generationConfig", "generation_config"])
@pytest.mark.parametrize("ratio", ["aspectRatio", "aspect_ratio"])
def test_camel_and_snake_case_mean_the_same(config: str, ratio: str) -> None:
    body = orjson.dumps({config: {"imageConfig": {ratio: "1:1"}}})

    assert parse(body, GENERATE_CONTENT) == {"generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["", "="])
def test_both_base64_alphabets_are_read_with_and_without_padding(encode: object, padding: str) -> None:
    data = encode(_BYTES).decode().rstrip("=") + padding * 2  # type: ignore[operator]
    body = orjson.dumps({"contents": [{"parts": [{"inlineData": {"mime_type": "image/png", "data": data}}]}]})

    part = parse(body, GENERATE_CONTENT)["contents"][0]["parts"][0]

    assert part == {"inlineData": {"mimeType": "image/png", "data": _BYTES}}


@pytest.mark.parametrize("modality", ["IMAGE", "image", "Image", 2])
def test_enums_come_by_name_in_any_case_or_by_number(modality: object) -> None:
    body = orjson.dumps({"generationConfig": {"responseModalities": [modality]}})

    assert parse(body, GENERATE_CONTENT)["generationConfig"]["responseModalities"] == ["IMAGE"]


def test_numbers_may_be_strings_and_null_is_unset() -> None:
    body = b'{"generationConfig": {"seed": "7", "temperature": "0.5", "topP": null}}'

    assert parse(body, GENERATE_CONTENT)["generationConfig"] == {"seed": 7, "temperature": 0.5}


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"foo": 1}, None, 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'),
        (
            {"generationConfig": {"foo": 1}},
            "generation_config",
            "Invalid JSON payload received. Unknown name \"foo\" at 'generation_config': Cannot find field.",
        ),
        (
            {"contents": [{"parts": [{"text": "x"}, {"bar": 1}]}]},
            "contents[0].parts[1]",
            "Invalid JSON payload received. Unknown name \"bar\" at 'contents[0].parts[1]': Cannot find field.",
        ),
        (
            {"generationConfig": {"seed": "x"}},
            "generation_config.seed",
            "Invalid value at 'generation_config.seed' (TYPE_INT32), \"x\"",
        ),
        (
            {"generationConfig": {"seed": 2**31}},
            "generation_config.seed",
            "Invalid value at 'generation_config.seed' (TYPE_INT32), 2147483648",
        ),
        (
            {"safetySettings": [{"category": "RUDE"}]},
            "safety_settings[0].category",
            (
                "Invalid value at 'safety_settings[0].category'"
                ' (type.googleapis.com/google.ai.generativelanguage.v1beta.HarmCategory), "RUDE"'
            ),
        ),
    ],
)
def test_a_fault_is_named_with_its_place(body: object, field: str | None, message: str) -> None:
    with pytest.raises(GoogleError) as caught:
        parse(orjson.dumps(body), GENERATE_CONTENT)

    error = caught.value.body["error"]
    violation = {"field": field, "description": message} if field else {"description": message}
    assert (error["code"], error["status"], error["message"]) == (400, "INVALID_ARGUMENT", message)
    assert error["details"][0]["fieldViolations"] == [violation]


def test_all_faults_come_at_once() -> None:
    with pytest.raises(GoogleError) as caught:
        parse(b'{"foo": 1, "bar": 2, "contents": 3}', GENERATE_CONTENT)

    assert len(caught.value.body["error"]["details"][0]["fieldViolations"]) == 3


@pytest.mark.parametrize("body", [b"", b"{", b'{"contents": [}', b"\xff", b"nonsense"])
def test_broken_json_is_400(body: bytes) -> None:
    with pytest.raises(GoogleError, match="Invalid JSON payload received"):
        parse(body, GENERATE_CONTENT)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"'])
def test_a_body_that_is_no_message_is_400(body: bytes) -> None:
    with pytest.raises(GoogleError):
        parse(body, GENERATE_CONTENT)


def test_output_options_belong_to_vertex_alone() -> None:
    body = orjson.dumps(
        {"generationConfig": {"imageConfig": {"imageOutputOptions": {"mimeType": "image/png"}}}}
    )

    assert parse(body, VERTEX_GENERATE_CONTENT)
    with pytest.raises(GoogleError, match="imageOutputOptions"):
        parse(body, GENERATE_CONTENT)
