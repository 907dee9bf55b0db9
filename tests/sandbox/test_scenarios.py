"""Walks the table of scenarios: every row is exercised over the wire."""

import io
import time
from collections.abc import Callable

import httpx2
import pytest
from PIL import Image

from nanobanana_sandbox.scenarios import SCENARIOS
from tests.sandbox.caller import Caller, file_of, final_part, picture

_ERRORS = {
    "api_key_invalid": (400, "INVALID_ARGUMENT", "API key not valid."),
    "api_key_expired": (400, "INVALID_ARGUMENT", "API key expired."),
    "location_unsupported": (400, "FAILED_PRECONDITION", "User location is not supported"),
    "billing_needed": (400, "FAILED_PRECONDITION", "This API method requires billing"),
    "ratio_not_enabled": (400, "INVALID_ARGUMENT", "Aspect ratio is not enabled for this model"),
    "unregistered_caller": (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers"),
    "api_key_leaked": (403, "PERMISSION_DENIED", "Your API key was reported as leaked."),
    "api_key_blocked": (403, "PERMISSION_DENIED", "Requests to this API"),
    "model_not_found": (404, "NOT_FOUND", "models/gemini-nano-banana-2.1 is not found"),
    "model_retired": (404, "NOT_FOUND", "This model models/gemini-nano-banana-2.1 is no longer available."),
    "model_closed": (
        404,
        "NOT_FOUND",
        "This model models/gemini-nano-banana-2.1 is no longer available to new users.",
    ),
    "quota_minute": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"),
    "quota_day": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"),
    "quota_zero": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"),
    "prepayment_depleted": (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    "resource_exhausted": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "vertex_capacity": (429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."),
    "internal": (500, "INTERNAL", "An internal error has occurred."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded."),
    "high_demand": (503, "UNAVAILABLE", "This model is currently experiencing high demand."),
    "unavailable": (503, "UNAVAILABLE", "The service is currently unavailable."),
    "deadline_503": (503, "UNAVAILABLE", "Deadline expired"),
    "deadline": (504, "DEADLINE_EXCEEDED", "Deadline expired"),
}
_REFUSALS = {
    "image_safety": "IMAGE_SAFETY",
    "image_prohibited_content": "IMAGE_PROHIBITED_CONTENT",
    "image_recitation": "IMAGE_RECITATION",
    "prohibited_content": "PROHIBITED_CONTENT",
    "safety": "SAFETY",
    "recitation": "RECITATION",
    "blocklist": "BLOCKLIST",
    "spii": "SPII",
    "image_other": "IMAGE_OTHER",
    "no_image": "NO_IMAGE",
    "no_image_text": "NO_IMAGE",
    "text_only": "STOP",
    "account_limited": "PUP_LIMITED_DISABLED",
    "escalation": "ESCALATION",
    "finish_reason": "NEW_REASON",
}
_CONTENTS = {
    "content_empty": {"content": {}},
    "content_parts_null": {"content": {"parts": None}},
    "content_role_only": {"content": {"role": "model"}},
    "content_null": {"content": None},
    "content_missing": {},
}
_BROKEN_CONNECTIONS = {
    "reset": httpx2.ReadError,
    "reset_mid_body": httpx2.ReadError,
    "short_body": httpx2.RemoteProtocolError,
    "hang": httpx2.ReadTimeout,
    "stall": httpx2.ReadTimeout,
}


@pytest.mark.parametrize("name", _ERRORS)
def test_an_error_has_googles_status_and_text(caller: Caller, name: str) -> None:
    answer = caller.generate(scenario=SCENARIOS[name].example)

    code, status, message = _ERRORS[name]
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (code, code, status)
    assert error["message"].startswith(message)


@pytest.mark.parametrize(
    ("scenario", "window", "delay", "limit"),
    [
        ("quota_minute", "GenerateRequestsPerMinutePerProjectPerModel-PaidTier", "25.0825342s", "10"),
        ("quota_day", "GenerateRequestsPerDayPerProjectPerModel-PaidTier", "34.4s", "250"),
        ("quota_zero", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "25s", "0"),
        ("quota_minute=0.3", "GenerateRequestsPerMinutePerProjectPerModel-PaidTier", "0.3s", "10"),
    ],
)
def test_a_quota_names_its_window_and_the_wait(
    caller: Caller, scenario: str, window: str, delay: str, limit: str
) -> None:
    help_, failure, retry = caller.generate(scenario=scenario).json()["error"]["details"]

    assert help_["links"][0]["url"].startswith("https://ai.google.dev/")
    assert failure["violations"][0]["quotaId"] == window
    assert failure["violations"][0]["quotaValue"] == limit
    assert (retry["@type"], retry["retryDelay"]) == ("type.googleapis.com/google.rpc.RetryInfo", delay)


def test_a_list_of_one_wraps_any_error(caller: Caller) -> None:
    usual = caller.generate(scenario="list_error")
    other = caller.generate(scenario="quota_day,list_error")

    assert (usual.status_code, usual.json()[0]["error"]["code"]) == (503, 503)
    assert (other.status_code, other.json()[0]["error"]["code"]) == (429, 429)


def test_the_front_ends_502_is_html(caller: Caller) -> None:
    answer = caller.generate(scenario="html_502")

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=UTF-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", _REFUSALS)
def test_a_refusal_is_a_200_without_a_picture(caller: Caller, name: str) -> None:
    answer = caller.generate(scenario=SCENARIOS[name].example)

    candidate = answer.json()["candidates"][0]
    parts = candidate["content"].get("parts") or []
    assert answer.status_code == 200
    assert candidate["finishReason"] == _REFUSALS[name]
    assert not any("inlineData" in part for part in parts)
    assert bool(parts) == (name in ("no_image_text", "text_only"))


def test_a_filtered_picture_says_why(caller: Caller) -> None:
    safety = caller.generate(scenario="image_safety").json()["candidates"][0]["finishMessage"]
    other = caller.generate(scenario="image_other").json()["candidates"][0]["finishMessage"]

    assert "Support code(s): 15236754" in safety
    assert "You will not be charged for this request." in other


@pytest.mark.parametrize("name", _CONTENTS)
def test_a_refusals_content_takes_every_observed_shape(caller: Caller, name: str) -> None:
    candidate = caller.generate(scenario=name).json()["candidates"][0]

    assert {key: candidate[key] for key in candidate if key == "content"} == _CONTENTS[name]
    assert candidate["finishReason"] == "IMAGE_SAFETY"


def test_a_blocked_prompt_has_no_candidates(caller: Caller) -> None:
    usual = caller.generate("[sandbox:prompt_blocked]").json()
    other = caller.generate("[sandbox:prompt_blocked=JAILBREAK]").json()

    assert "candidates" not in usual
    assert usual["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert other["promptFeedback"] == {"blockReason": "JAILBREAK"}


def test_candidates_can_be_empty(caller: Caller) -> None:
    assert caller.generate(scenario="no_candidates").json()["candidates"] == []


@pytest.mark.parametrize("name", _BROKEN_CONNECTIONS)
def test_the_connection_breaks_as_asked(caller: Caller, name: str) -> None:
    caller.http.timeout = httpx2.Timeout(0.5)

    with pytest.raises(_BROKEN_CONNECTIONS[name]):
        caller.generate(scenario=name)


def test_truncated_json_comes_with_a_fitting_length(caller: Caller) -> None:
    answer = caller.generate(scenario="truncate")

    assert len(answer.content) == int(answer.headers["content-length"])
    with pytest.raises(ValueError, match="Unterminated string"):
        answer.json()


def test_latency_delays_the_answer(caller: Caller) -> None:
    started = time.monotonic()

    answer = caller.generate(scenario="latency=0.2-0.3,overloaded")

    assert answer.status_code == 503
    assert time.monotonic() - started >= 0.2


def test_drafts_and_prose_stand_around_the_picture(caller: Caller) -> None:
    answer = caller.generate(scenario="text_before,text_after,thought_text,draft=2,unflagged_draft,ok")

    parts = answer.json()["candidates"][0]["content"]["parts"]
    kinds = [
        ("thought " if part.get("thought") else "") + ("text" if "text" in part else "image")
        for part in parts
    ]
    assert kinds == ["thought text", "thought image", "thought image", "text", "image", "image", "text"]
    assert "thoughtSignature" in parts[5]
    assert final_part(answer) == parts[5]
    assert len({part["inlineData"]["data"] for part in parts if "inlineData" in part}) == 4


def test_the_signature_has_the_wanted_size(caller: Caller) -> None:
    large = caller.generate(scenario="signature=2000000")
    none = caller.generate(scenario="signature=0")

    assert len(final_part(large)["thoughtSignature"]) == 2_666_668
    assert "thoughtSignature" not in final_part(none)


@pytest.mark.parametrize(("name", "mime_type"), [("png", "image/png"), ("jpeg", "image/jpeg")])
def test_the_file_type_can_be_chosen(caller: Caller, name: str, mime_type: str) -> None:
    answer = caller.generate(scenario=name, model="gemini-2.5-flash-image")

    assert final_part(answer)["inlineData"]["mimeType"] == picture(answer).get_format_mimetype() == mime_type


@pytest.mark.parametrize("mime_type", ["png", "jpeg"])
def test_the_file_has_the_wanted_bytes(caller: Caller, mime_type: str) -> None:
    answer = caller.generate(scenario=f"bytes=1500000,{mime_type}")

    assert len(file_of(final_part(answer))) == pytest.approx(1_500_000, rel=0.03)
    assert picture(answer).size == (1024, 1024)


def test_the_test_card_is_one_exact_circle(caller: Caller) -> None:
    config = {"imageConfig": {"aspectRatio": "16:9"}}

    card = picture(caller.generate(scenario="test_card,png", config=config))

    grey = card.convert("L").crop((100, 0, 1276, 768))
    left, top, right, bottom = grey.point(lambda value: 255 if value < 128 else 0).getbbox() or (0, 0, 0, 0)
    assert (right - left, bottom - top) == pytest.approx((384, 384), abs=1)
    assert ((left + right) / 2 + 100, (top + bottom) / 2) == pytest.approx((688, 384), abs=1)
    assert [card.getpixel(corner) for corner in ((0, 0), (1375, 0), (1375, 767), (0, 767))] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 0, 255),
    ]


def _is_no_image(file: bytes) -> bool:
    try:
        Image.open(io.BytesIO(file)).load()
    except OSError:
        return True
    return False


_DAMAGES: dict[str, Callable[[bytes], bool]] = {
    "broken_image": _is_no_image,
    "truncated_image": _is_no_image,
    "wrong_size": lambda file: Image.open(io.BytesIO(file)).size == (640, 360),
    "bomb": lambda file: len(file) < 1000 and file[16:24] == (50_000).to_bytes(4, "big") * 2,
}


@pytest.mark.parametrize("name", _DAMAGES)
def test_the_file_is_damaged_as_asked(caller: Caller, name: str) -> None:
    part = final_part(caller.generate(scenario=name))

    assert _DAMAGES[name](file_of(part))


def test_the_mime_type_can_be_a_lie(caller: Caller) -> None:
    answer = caller.generate(scenario="wrong_mime")

    assert final_part(answer)["inlineData"]["mimeType"] == "image/webp"
    assert picture(answer).get_format_mimetype() == "image/jpeg"


def test_every_row_of_the_table_is_exercised_here() -> None:
    alone = {
        "ok",
        "latency",
        "truncate",
        "html_502",
        "list_error",
        "prompt_blocked",
        "no_candidates",
        "wrong_mime",
    }
    parts = {"text_before", "text_after", "thought_text", "draft", "unflagged_draft", "signature"}
    files = {"png", "jpeg", "bytes", "test_card"}

    exercised = alone | parts | files | _ERRORS.keys() | _REFUSALS.keys() | _CONTENTS.keys()
    exercised |= _BROKEN_CONNECTIONS.keys() | _DAMAGES.keys()
    assert exercised == set(SCENARIOS)
