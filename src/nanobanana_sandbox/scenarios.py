"""Every behaviour on demand, in one table.

A prompt asks for one with `[sandbox:name]` or `[sandbox:name=value]`, a test with the header `x-sandbox-scenario`
or a scripted queue, there as `name` or `name=value`, several with commas between. Several combine.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from nanobanana_sandbox import errors
from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.config import Latency
from nanobanana_sandbox.errors import GoogleError, invalid_argument
from nanobanana_sandbox.plan import Damage, ErrorFactory, Plan, Refusal, Wire

Effect = Callable[[Plan, str], Plan]

_TOKEN = re.compile(r"\[sandbox:([^\]]*)\]")
_SUPPORT = "If you think this was an error, send feedback. Support code(s): 15236754"
_FILTERED = (
    "Unable to show the generated image. The image may violate Google's Responsible AI practices. You will not be"
    f" charged for blocked images. Try rephrasing the prompt. {_SUPPORT}"
)
_NOT_GENERATED = (
    "Unable to show the generated image. The model could not generate the image based on the prompt provided. You"
    " will not be charged for this request. Try rephrasing the prompt."
)
_PROSE = "I can't create that image, but I can describe a quiet hillside at sunrise instead."
_IMAGE_SAFETY = Refusal(finish_reason="IMAGE_SAFETY", finish_message=_FILTERED)


@dataclass(frozen=True)
class Scenario:
    """`value` names what may follow the `=`; `example` is a ready item for scripts and documentation."""

    name: str
    description: str
    effect: Effect
    value: str | None = None
    default: str | None = None
    example_value: str | None = None

    @property
    def example(self) -> str:
        return f"{self.name}={self.example_value}" if self.example_value else self.name


def plan(items: Iterable[str], *, usual: Plan) -> Plan:
    """Turn the usual plan by each `name` or `name=value` in order; an unknown name is refused, never ignored."""
    result = usual
    for item in items:
        name, _, value = item.strip().partition("=")
        scenario = SCENARIOS.get(name)
        if scenario is None:
            raise invalid_argument(
                f"sandbox: there is no scenario {name!r}; GET /_sandbox/scenarios lists them"
            )
        result = _apply(scenario, result, value or scenario.default)
    return result


def tokens_in(prompt: str) -> list[str]:
    return [item for token in _TOKEN.findall(prompt) for item in split(token)]


def without_tokens(prompt: str) -> str:
    return _TOKEN.sub("", prompt).strip()


def split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _apply(scenario: Scenario, current: Plan, value: str | None) -> Plan:
    if scenario.value is not None and value is None:
        raise invalid_argument(f"sandbox: scenario {scenario.name!r} needs a value: {scenario.example}")
    try:
        return scenario.effect(current, value or "")
    except ValueError as error:
        raise invalid_argument(f"sandbox: scenario {scenario.name!r}: {error}") from None


def _set(**changes: Any) -> Effect:
    return lambda current, _: replace(current, **changes)


def _error(factory: ErrorFactory) -> Effect:
    return _set(error=factory)


def _latency(current: Plan, value: str) -> Plan:
    return replace(current, latency=Latency.parse(value))


def _number(field: str) -> Effect:
    def effect(current: Plan, value: str) -> Plan:
        changes: dict[str, Any] = {field: int(value)}
        return replace(current, **changes)

    return effect


def _quota(window: str, limit: int) -> Effect:
    def effect(current: Plan, value: str) -> Plan:
        answer = partial(errors.quota_exhausted, window=window, limit=limit, retry_after_s=float(value))
        return replace(current, error=answer)

    return effect


def _refusal(reason: str, message: str | None = None, **more: Any) -> Effect:
    return _set(refusal=Refusal(finish_reason=reason, finish_message=message, **more))


def _finish_reason(current: Plan, value: str) -> Plan:
    return replace(current, refusal=Refusal(finish_reason=value))


def _blocked(current: Plan, value: str) -> Plan:
    return replace(current, refusal=Refusal(block_reason=value))


def _content(shape: Literal["empty", "parts_null", "role_only", "null", "missing"]) -> Effect:
    return lambda current, _: replace(
        current, refusal=replace(current.refusal or _IMAGE_SAFETY, content=shape)
    )


def _in_list(current: Plan, _: str) -> Plan:
    return replace(current, error_in_list=True, error=current.error or errors.high_demand)


def _retired(call: Call) -> GoogleError:
    return errors.model_retired(call)


_POLICY = "the policy behind the model refuses"
_ROWS = (
    Scenario("ok", "nothing special: a picture", _set()),
    # Time and the wire.
    Scenario(
        "latency",
        "answers after so many seconds, or evenly between two",
        _latency,
        "seconds",
        None,
        "0.2-0.3",
    ),
    Scenario("hang", "never answers: until the caller leaves, 300 s at most", _set(wire=Wire.HANG)),
    Scenario("stall", "sends half of the body, then hangs", _set(wire=Wire.STALL)),
    Scenario("reset", "resets the connection instead of answering", _set(wire=Wire.RESET)),
    Scenario(
        "reset_mid_body", "resets the connection after half of the body", _set(wire=Wire.RESET_MID_BODY)
    ),
    Scenario(
        "truncate", "half of the JSON, with a content-length that fits it", _set(wire=Wire.TRUNCATED_JSON)
    ),
    Scenario(
        "short_body", "closes the connection after half of the content-length", _set(wire=Wire.SHORT_BODY)
    ),
    Scenario("html_502", "502 with the HTML page of the front end", _set(wire=Wire.HTML_502)),
    # Error answers.
    Scenario("api_key_invalid", "400: API key not valid", _error(errors.api_key_invalid)),
    Scenario("api_key_expired", "400: API key expired", _error(errors.api_key_expired)),
    Scenario(
        "location_unsupported", "400 FAILED_PRECONDITION: location", _error(errors.location_unsupported)
    ),
    Scenario("billing_needed", "400 FAILED_PRECONDITION: billing", _error(errors.billing_needed)),
    Scenario("ratio_not_enabled", "400: aspect ratio not enabled", _error(errors.ratio_not_enabled)),
    Scenario("unregistered_caller", "403: no key seen", _error(errors.unregistered_caller)),
    Scenario("api_key_leaked", "403: key reported as leaked", _error(errors.api_key_leaked)),
    Scenario("api_key_blocked", "403: API blocked for this key", _error(errors.api_key_blocked)),
    Scenario("model_not_found", "404: the model was never there", _error(errors.model_not_found)),
    Scenario("model_retired", "404: the model is no longer available", _error(_retired)),
    Scenario(
        "model_closed", "404: no longer available to new users", _error(errors.model_closed_to_new_users)
    ),
    Scenario(
        "quota_minute",
        "429 PerMinute, RetryInfo of so many seconds",
        _quota("PerMinute", 10),
        "seconds",
        "25.08253422",
        "0.3",
    ),
    Scenario(
        "quota_day",
        "429 PerDay, RetryInfo of so many seconds",
        _quota("PerDay", 250),
        "seconds",
        "34.4",
        "34.4",
    ),
    Scenario(
        "quota_zero",
        "429 with limit 0: a free key asks an image model",
        _quota("PerDay", 0),
        "seconds",
        "25",
        "25",
    ),
    Scenario("prepayment_depleted", "429: prepayment credits depleted", _error(errors.prepayment_depleted)),
    Scenario("resource_exhausted", "429 without details", _error(errors.resource_exhausted)),
    Scenario("vertex_capacity", "429 as Vertex AI words it", _error(errors.vertex_capacity)),
    Scenario("internal", "500 INTERNAL", _error(errors.internal)),
    Scenario("overloaded", "503: the model is overloaded", _error(errors.overloaded)),
    Scenario("high_demand", "503: the wording of 2026", _error(errors.high_demand)),
    Scenario("unavailable", "503: service unavailable", _error(errors.unavailable)),
    Scenario("deadline_503", "503: deadline expired", _error(errors.deadline_expired_503)),
    Scenario("deadline", "504 DEADLINE_EXCEEDED", _error(errors.deadline_exceeded)),
    Scenario("list_error", "wraps the error in a list of one; 503 unless another is asked", _in_list),
    # 200 without a picture.
    Scenario(
        "prompt_blocked",
        "no candidates, promptFeedback only",
        _blocked,
        "block reason",
        "PROHIBITED_CONTENT",
        "JAILBREAK",
    ),
    Scenario("image_safety", "IMAGE_SAFETY with its finishMessage", _set(refusal=_IMAGE_SAFETY)),
    Scenario("image_prohibited_content", _POLICY, _refusal("IMAGE_PROHIBITED_CONTENT", _FILTERED)),
    Scenario("image_recitation", _POLICY, _refusal("IMAGE_RECITATION", _FILTERED)),
    Scenario("prohibited_content", _POLICY, _refusal("PROHIBITED_CONTENT", _FILTERED)),
    Scenario("safety", _POLICY, _refusal("SAFETY", _FILTERED)),
    Scenario("recitation", _POLICY, _refusal("RECITATION", _FILTERED)),
    Scenario("blocklist", _POLICY, _refusal("BLOCKLIST", _FILTERED)),
    Scenario("spii", _POLICY, _refusal("SPII", _FILTERED)),
    Scenario("image_other", "soft failure, one retry is reasonable", _refusal("IMAGE_OTHER", _NOT_GENERATED)),
    Scenario("no_image", "NO_IMAGE with nothing", _refusal("NO_IMAGE")),
    Scenario("no_image_text", "NO_IMAGE with prose", _refusal("NO_IMAGE", text=_PROSE)),
    Scenario("text_only", "STOP with prose only", _refusal("STOP", text=_PROSE)),
    Scenario(
        "account_limited",
        "PUP_LIMITED_DISABLED: the account is the trouble",
        _refusal("PUP_LIMITED_DISABLED"),
    ),
    Scenario("escalation", "ESCALATION: the account is the trouble", _refusal("ESCALATION")),
    Scenario(
        "finish_reason",
        "any other reason, also one nobody knows",
        _finish_reason,
        "reason",
        None,
        "NEW_REASON",
    ),
    Scenario("content_empty", "the refusal's content is {}", _content("empty")),
    Scenario("content_parts_null", 'the refusal\'s content is {"parts": null}', _content("parts_null")),
    Scenario("content_role_only", 'the refusal\'s content is {"role": "model"}', _content("role_only")),
    Scenario("content_null", "the refusal's content is null", _content("null")),
    Scenario("content_missing", "the refusal has no content", _content("missing")),
    Scenario("no_candidates", "an empty list of candidates and no reason", _set(no_candidates=True)),
    # The parts around the picture.
    Scenario("text_before", "prose before the picture", _set(text_before=True)),
    Scenario("text_after", "prose after the picture", _set(text_after=True)),
    Scenario("thought_text", "a flagged part of thinking text", _set(thought_text=True)),
    Scenario(
        "draft", "so many draft pictures, flagged as thoughts", _number("flagged_drafts"), "count", "1", "2"
    ),
    Scenario(
        "unflagged_draft",
        "so many draft pictures without the flag",
        _number("unflagged_drafts"),
        "count",
        "1",
        "2",
    ),
    Scenario(
        "signature",
        "thoughtSignature of so many bytes; 0 is none",
        _number("signature_bytes"),
        "bytes",
        None,
        "2000000",
    ),
    # The picture's file.
    Scenario("png", "PNG instead of what the model gives", _set(mime_type="image/png")),
    Scenario("jpeg", "JPEG instead of what the model gives", _set(mime_type="image/jpeg")),
    Scenario(
        "bytes",
        "a file of that size, noisy; the picture's own size at least",
        _number("file_bytes"),
        "bytes",
        None,
        "1500000",
    ),
    Scenario(
        "test_card",
        "one black circle centred on white, a quarter of the short side in radius",
        _set(test_card=True),
    ),
    Scenario("wrong_mime", "says image/webp, whatever the bytes are", _set(claimed_mime_type="image/webp")),
    Scenario("wrong_size", "a whole picture of 640x360 pixels", _set(damage=Damage.WRONG_SIZE)),
    Scenario("broken_image", "bytes that are no image", _set(damage=Damage.NOT_AN_IMAGE)),
    Scenario("truncated_image", "the first half of the image file", _set(damage=Damage.CUT_IN_HALF)),
    Scenario("bomb", "a small PNG that claims 50000x50000 pixels", _set(damage=Damage.DECOMPRESSION_BOMB)),
)

SCENARIOS: Mapping[str, Scenario] = {row.name: row for row in _ROWS}
