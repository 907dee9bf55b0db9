"""Every failure has its error: all scenarios of the sandbox, all reasons the SDK knows, and what nobody expects."""

import json
import traceback
from typing import Any

import aiohttp
import pytest
from google.genai.types import BlockedReason, FinishReason

from nanobanana.integrations.google import failures, http
from nanobanana.integrations.google.errors import (
    AccountRestrictedError,
    BadRequestError,
    BillingError,
    BrokenAnswerError,
    ConnectionFailedError,
    ConnectionLostError,
    GoogleError,
    KeyRejectedError,
    ModelGoneError,
    NoImageError,
    PolicyRefusalError,
    PromptBlockedError,
    QuotaExhaustedError,
    TimedOutError,
    UnavailableError,
)
from nanobanana.integrations.google.types import ImageRequest
from tests.integrations.google.conftest import GoogleFactory

FAILURES: dict[str, type[GoogleError]] = {
    "hang": TimedOutError,
    "stall": TimedOutError,
    "reset": ConnectionLostError,
    "reset_mid_body": BrokenAnswerError,
    "truncate": BrokenAnswerError,
    "short_body": BrokenAnswerError,
    "html_502": UnavailableError,
    "api_key_invalid": KeyRejectedError,
    "api_key_expired": KeyRejectedError,
    "location_unsupported": AccountRestrictedError,
    "billing_needed": BillingError,
    "ratio_not_enabled": BadRequestError,
    "unregistered_caller": KeyRejectedError,
    "api_key_leaked": KeyRejectedError,
    "api_key_blocked": KeyRejectedError,
    "model_not_found": ModelGoneError,
    "model_retired": ModelGoneError,
    "model_closed": ModelGoneError,
    "quota_minute": QuotaExhaustedError,
    "quota_day": QuotaExhaustedError,
    "quota_zero": BillingError,
    "prepayment_depleted": BillingError,
    "resource_exhausted": QuotaExhaustedError,
    "vertex_capacity": QuotaExhaustedError,
    "internal": UnavailableError,
    "overloaded": UnavailableError,
    "high_demand": UnavailableError,
    "unavailable": UnavailableError,
    "deadline_503": TimedOutError,
    "deadline": TimedOutError,
    "list_error": UnavailableError,
    "prompt_blocked": PromptBlockedError,
    "image_safety": PolicyRefusalError,
    "image_prohibited_content": PolicyRefusalError,
    "image_recitation": PolicyRefusalError,
    "prohibited_content": PolicyRefusalError,
    "safety": PolicyRefusalError,
    "recitation": PolicyRefusalError,
    "blocklist": PolicyRefusalError,
    "spii": PolicyRefusalError,
    "image_other": NoImageError,
    "no_image": NoImageError,
    "no_image_text": NoImageError,
    "text_only": PolicyRefusalError,
    "account_limited": AccountRestrictedError,
    "escalation": AccountRestrictedError,
    "finish_reason": NoImageError,
    "content_empty": PolicyRefusalError,
    "content_parts_null": PolicyRefusalError,
    "content_role_only": PolicyRefusalError,
    "content_null": PolicyRefusalError,
    "content_missing": PolicyRefusalError,
    "no_candidates": NoImageError,
    "broken_image": BrokenAnswerError,
}
# Whether such a file can be used is found out where it is opened.
PICTURES = {
    *("ok", "latency", "text_before", "text_after", "thought_text", "draft", "unflagged_draft", "signature"),
    *("png", "jpeg", "bytes", "test_card", "wrong_mime", "wrong_size", "truncated_image", "bomb"),
}
PROMPT = "a secret plan for a quiet hill"


async def scenarios(client: aiohttp.ClientSession, url: str, api_key: str) -> dict[str, str]:
    """Return each scenario's example by its name."""
    async with client.get(f"{url}/_sandbox/scenarios", headers={"x-goog-api-key": api_key}) as response:
        return {row["name"]: row["example"] for row in (await response.json())["scenarios"]}


async def failure(google: GoogleFactory, *, scenario: str, **options: Any) -> GoogleError:
    request = ImageRequest(prompt=f"{PROMPT} [sandbox:{scenario}]", width=1024, height=1024)
    with pytest.raises(GoogleError) as caught:
        async with google(**options).generate(request):
            pass
    return caught.value


async def test_every_scenario_of_the_sandbox_has_its_place_here(
    http_client: aiohttp.ClientSession, sandbox_url: str, api_key: str
) -> None:
    assert (await scenarios(http_client, sandbox_url, api_key)).keys() == FAILURES.keys() | PICTURES


@pytest.mark.parametrize("scenario", FAILURES)
async def test_a_failure_has_its_error_and_tells_neither_key_nor_prompt(
    google: GoogleFactory,
    http_client: aiohttp.ClientSession,
    sandbox_url: str,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    scenario: str,
) -> None:
    # given
    if scenario == "stall":
        monkeypatch.setattr(http, "IDLE_TIMEOUT_S", 0.3)
    example = (await scenarios(http_client, sandbox_url, api_key))[scenario]

    # when
    error = await failure(google, scenario=example, timeout_s=1 if scenario == "hang" else 30)

    # then
    assert type(error) is FAILURES[scenario]
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + error.public_message
    assert api_key not in told
    assert PROMPT not in told


@pytest.mark.parametrize("scenario", sorted(PICTURES))
async def test_a_picture_is_no_failure(
    google: GoogleFactory, http_client: aiohttp.ClientSession, sandbox_url: str, api_key: str, scenario: str
) -> None:
    example = (await scenarios(http_client, sandbox_url, api_key))[scenario]
    request = ImageRequest(prompt=f"{PROMPT} [sandbox:{example}]", width=1024, height=1024)

    async with google().generate(request) as picture:
        assert picture.data


def test_every_reason_the_sdk_knows_is_in_the_table() -> None:
    assert {reason.value for reason in FinishReason} == failures.FINISH_REASONS.keys()
    assert {reason.value for reason in BlockedReason} == failures.BLOCK_REASONS.keys()


def test_a_reason_nobody_knows_yet_is_handled() -> None:
    assert isinstance(failures.from_finish_reason("NEW", message="", prose=""), NoImageError)
    assert isinstance(failures.from_block_reason("NEW"), PromptBlockedError)


@pytest.mark.parametrize(("scenario", "window"), [("quota_minute=0.25", "minute"), ("quota_day=34.4", "day")])
async def test_a_used_up_quota_says_which_and_for_how_long(
    google: GoogleFactory, scenario: str, window: str
) -> None:
    error = await failure(google, scenario=scenario)

    assert error.retryable
    assert (error.quota_window, error.retry_after_s) == (window, float(scenario.partition("=")[2]))


async def test_a_refusal_in_words_carries_them_apart_and_bounded(google: GoogleFactory) -> None:
    error = await failure(google, scenario="text_only")
    long = failures.from_finish_reason("STOP", message="", prose="no " * 10_000)

    assert "quiet hillside at sunrise" in error.explanation
    assert "hillside" not in str(error) + error.public_message
    assert len(long.explanation) == 500


async def test_a_filtered_imagen_picture_is_a_refusal(google: GoogleFactory) -> None:
    error = await failure(google, scenario="image_safety", model="imagen-4.0-generate-001")

    assert type(error) is PolicyRefusalError
    assert "were filtered out" in error.explanation


async def test_a_google_that_cannot_be_reached_was_not_charged(google: GoogleFactory) -> None:
    error = await failure(google, scenario="ok", base_url="http://127.0.0.1:9")

    assert type(error) is ConnectionFailedError
    assert (error.retryable, error.maybe_charged) == (True, False)


@pytest.mark.parametrize(
    "sentence", ["API key not valid.", "User location is not supported.", "limit: 0, model"]
)
def test_a_message_that_quotes_the_prompt_does_not_let_it_choose_the_error(sentence: str) -> None:
    message = f'Invalid value at contents[0]: "{sentence}"'
    body = json.dumps({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": message}}).encode()

    error = failures.from_http(400, body)

    assert type(error) is BadRequestError
    assert sentence not in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"error":"no"}',
        b'{"error":{"details":{"a":1},"status":7}}',
        b"\xff{",
    ],
)
@pytest.mark.parametrize("status", [204, 302, 400, 418, 429, 500, 599])
def test_an_error_of_any_shape_has_an_error(status: int, body: bytes) -> None:
    assert failures.from_http(status, body).http_status == status
