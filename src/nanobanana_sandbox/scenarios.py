"""Every behaviour on demand, in one table.

A prompt asks for one with `[sandbox:name]` or `[sandbox:name=value]`, a test with the header `x-sandbox-scenario`
or a scripted queue, there as `name` or `name=value`, several with commas between. Several combine.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nanobanana_sandbox import effects, errors
from nanobanana_sandbox.plan import Damage, Plan, Wire

_TOKEN = re.compile(r"\[sandbox:([^\]]*)\]")


@dataclass(frozen=True)
class Scenario:
    """`value` names what may follow the `=`; `example` is a ready item for scripts and documentation."""

    name: str
    description: str
    effect: effects.Effect
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
            raise errors.invalid_argument(
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


def as_markdown() -> str:
    rows = [f"| `[sandbox:{row.example}]` | {row.description} |" for row in SCENARIOS.values()]
    return "\n".join(["| in the prompt | what happens |", "|---|---|", *rows, ""])


def _apply(scenario: Scenario, current: Plan, value: str | None) -> Plan:
    if scenario.value is not None and value is None:
        raise errors.invalid_argument(
            f"sandbox: scenario {scenario.name!r} needs a value: {scenario.example}"
        )
    try:
        return scenario.effect(current, value or "")
    except ValueError as error:
        raise errors.invalid_argument(f"sandbox: scenario {scenario.name!r}: {error}") from None


# One row, one line.
# fmt: off
_ROWS = (
    Scenario("ok", "nothing special: a picture", effects.change()),
    # Time and the wire.
    Scenario("latency", "answers after so many seconds, or evenly between two", effects.latency, "seconds", None, "0.2-0.3"),
    Scenario("hang", "never answers: until the caller leaves, 300 s at most", effects.change(wire=Wire.HANG)),
    Scenario("stall", "sends half of the body, then hangs", effects.change(wire=Wire.STALL)),
    Scenario("reset", "resets the connection instead of answering", effects.change(wire=Wire.RESET)),
    Scenario("reset_mid_body", "resets the connection after half of the body", effects.change(wire=Wire.RESET_MID_BODY)),
    Scenario("truncate", "half of the JSON, with a content-length that fits it", effects.change(wire=Wire.TRUNCATED_JSON)),
    Scenario("short_body", "closes the connection after half of the content-length", effects.change(wire=Wire.SHORT_BODY)),
    Scenario("html_502", "502 with the HTML page of the front end", effects.change(front_end_error=True)),
    # Error answers.
    Scenario("api_key_invalid", "400: API key not valid", effects.answer_error(errors.api_key_invalid)),
    Scenario("api_key_expired", "400: API key expired", effects.answer_error(errors.api_key_expired)),
    Scenario("location_unsupported", "400 FAILED_PRECONDITION: location", effects.answer_error(errors.location_unsupported)),
    Scenario("billing_needed", "400 FAILED_PRECONDITION: billing", effects.answer_error(errors.billing_needed)),
    Scenario("ratio_not_enabled", "400: aspect ratio not enabled", effects.answer_error(errors.ratio_not_enabled)),
    Scenario("unregistered_caller", "403: no key seen", effects.answer_error(errors.unregistered_caller)),
    Scenario("api_key_leaked", "403: key reported as leaked", effects.answer_error(errors.api_key_leaked)),
    Scenario("api_key_blocked", "403: API blocked for this key", effects.answer_error(errors.api_key_blocked)),
    Scenario("model_not_found", "404: the model was never there", effects.answer_error(errors.model_not_found)),
    Scenario("model_retired", "404: the model is no longer available", effects.answer_error(errors.model_retired)),
    Scenario("model_closed", "404: no longer available to new users", effects.answer_error(errors.model_closed_to_new_users)),
    Scenario("quota_minute", "429 PerMinute, RetryInfo of so many seconds", effects.quota("PerMinute", 10), "seconds", "25.08253422", "0.3"),
    Scenario("quota_day", "429 PerDay, RetryInfo of so many seconds", effects.quota("PerDay", 250), "seconds", "34.4", "34.4"),
    Scenario("quota_zero", "429 with limit 0: a free key asks an image model", effects.quota("PerDay", 0), "seconds", "25", "25"),
    Scenario("prepayment_depleted", "429: prepayment credits depleted", effects.answer_error(errors.prepayment_depleted)),
    Scenario("resource_exhausted", "429 without details", effects.answer_error(errors.resource_exhausted)),
    Scenario("vertex_capacity", "429 as Vertex AI words it", effects.answer_error(errors.vertex_capacity)),
    Scenario("internal", "500 INTERNAL", effects.answer_error(errors.internal)),
    Scenario("overloaded", "503: the model is overloaded", effects.answer_error(errors.overloaded)),
    Scenario("high_demand", "503: the wording of 2026", effects.answer_error(errors.high_demand)),
    Scenario("unavailable", "503: service unavailable", effects.answer_error(errors.unavailable)),
    Scenario("deadline_503", "503: deadline expired", effects.answer_error(errors.deadline_expired_503)),
    Scenario("deadline", "504 DEADLINE_EXCEEDED", effects.answer_error(errors.deadline_exceeded)),
    Scenario("list_error", "wraps the error in a list of one; 503 unless another is asked", effects.error_in_list
    ),
    # 200 without a picture.
    Scenario("prompt_blocked", "no candidates, promptFeedback only", effects.block_prompt, "block reason", "PROHIBITED_CONTENT", "JAILBREAK"),
    Scenario("image_safety", "IMAGE_SAFETY with its finishMessage", effects.change(refusal=effects.IMAGE_SAFETY)),
    Scenario("image_prohibited_content", "IMAGE_PROHIBITED_CONTENT with its finishMessage", effects.refuse("IMAGE_PROHIBITED_CONTENT", effects.FILTERED)),
    Scenario("image_recitation", "IMAGE_RECITATION with its finishMessage", effects.refuse("IMAGE_RECITATION", effects.FILTERED)),
    Scenario("prohibited_content", "PROHIBITED_CONTENT with its finishMessage", effects.refuse("PROHIBITED_CONTENT", effects.FILTERED)),
    Scenario("safety", "SAFETY with its finishMessage", effects.refuse("SAFETY", effects.FILTERED)),
    Scenario("recitation", "RECITATION with its finishMessage", effects.refuse("RECITATION", effects.FILTERED)),
    Scenario("blocklist", "BLOCKLIST with its finishMessage", effects.refuse("BLOCKLIST", effects.FILTERED)),
    Scenario("spii", "SPII with its finishMessage", effects.refuse("SPII", effects.FILTERED)),
    Scenario("image_other", "soft failure, one retry is reasonable", effects.refuse("IMAGE_OTHER", effects.NOT_GENERATED)),
    Scenario("no_image", "NO_IMAGE with nothing", effects.refuse("NO_IMAGE")),
    Scenario("no_image_text", "NO_IMAGE with prose", effects.refuse("NO_IMAGE", text=effects.PROSE)),
    Scenario("text_only", "STOP with prose only", effects.refuse("STOP", text=effects.PROSE)),
    Scenario("account_limited", "PUP_LIMITED_DISABLED: the account is the trouble", effects.refuse("PUP_LIMITED_DISABLED")),
    Scenario("escalation", "ESCALATION: the account is the trouble", effects.refuse("ESCALATION")),
    Scenario("finish_reason", "any other reason, also one nobody knows", effects.finish_reason, "reason", None, "NEW_REASON"),
    Scenario("content_empty", "the refusal's content is {}", effects.refused_content("empty")),
    Scenario("content_parts_null", 'the refusal\'s content is {"parts": null}', effects.refused_content("parts_null")),
    Scenario("content_role_only", 'the refusal\'s content is {"role": "model"}', effects.refused_content("role_only")),
    Scenario("content_null", "the refusal's content is null", effects.refused_content("null")),
    Scenario("content_missing", "the refusal has no content", effects.refused_content("missing")),
    Scenario("no_candidates", "an empty list of candidates and no reason", effects.change(no_candidates=True)),
    # The parts around the picture.
    Scenario("text_before", "prose before the picture", effects.change(text_before=True)),
    Scenario("text_after", "prose after the picture", effects.change(text_after=True)),
    Scenario("thought_text", "a flagged part of thinking text", effects.change(thought_text=True)),
    Scenario("draft", "so many draft pictures, flagged as thoughts", effects.number("flagged_drafts", most=10), "count", "1", "2"),
    Scenario("unflagged_draft", "so many draft pictures without the flag", effects.number("unflagged_drafts", most=10), "count", "1", "2"),
    Scenario("signature", "thoughtSignature of so many bytes; 0 is none", effects.number("signature_bytes", most=8_000_000), "bytes", None, "2000000"),
    # The picture's file.
    Scenario("png", "PNG instead of what the model gives", effects.change(mime_type="image/png")),
    Scenario("jpeg", "JPEG instead of what the model gives", effects.change(mime_type="image/jpeg")),
    Scenario("bytes", "a file of that size, noisy; the picture's own size at least", effects.number("file_bytes", most=20_000_000), "bytes", None, "1500000"),
    Scenario("test_card", "one black circle centred on white, a quarter of the short side in radius", effects.change(test_card=True)),
    Scenario("wrong_mime", "says image/webp, whatever the bytes are", effects.change(claimed_mime_type="image/webp")),
    Scenario("wrong_size", "a whole picture of 640x360 pixels", effects.change(damage=Damage.WRONG_SIZE)),
    Scenario("broken_image", "bytes that are no image", effects.change(damage=Damage.NOT_AN_IMAGE)),
    Scenario("truncated_image", "the first half of the image file", effects.change(damage=Damage.CUT_IN_HALF)),
    Scenario("bomb", "a small PNG that claims 50000x50000 pixels", effects.change(damage=Damage.DECOMPRESSION_BOMB)),
)
# fmt: on

SCENARIOS: Mapping[str, Scenario] = {row.name: row for row in _ROWS}
