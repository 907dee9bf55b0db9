"""What scenarios do: functions that turn one plan, and the value behind the `=`, into another plan."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from nanobanana_sandbox import errors
from nanobanana_sandbox.config import Latency
from nanobanana_sandbox.plan import ErrorFactory, Plan, Refusal

Effect = Callable[[Plan, str], Plan]

_SUPPORT = "If you think this was an error, send feedback. Support code(s): 15236754"
FILTERED = (
    "Unable to show the generated image. The image may violate Google's Responsible AI practices. You will not be"
    f" charged for blocked images. Try rephrasing the prompt. {_SUPPORT}"
)
NOT_GENERATED = (
    "Unable to show the generated image. The model could not generate the image based on the prompt provided. You"
    " will not be charged for this request. Try rephrasing the prompt."
)
PROSE = "I can't create that image, but I can describe a quiet hillside at sunrise instead."
IMAGE_SAFETY = Refusal(finish_reason="IMAGE_SAFETY", finish_message=FILTERED)


def change(**changes: Any) -> Effect:
    return lambda current, _: replace(current, **changes)


def answer_error(factory: ErrorFactory) -> Effect:
    return change(error=factory)


def latency(current: Plan, value: str) -> Plan:
    return replace(current, latency=Latency.parse(value))


def number(field: str, *, most: int) -> Effect:
    """Set a count. The bound keeps a stranger's prompt from filling the memory."""

    def effect(current: Plan, value: str) -> Plan:
        count = int(value)
        if not 0 <= count <= most:
            raise ValueError(f"{count} is not within 0 and {most}")
        changes: dict[str, Any] = {field: count}
        return replace(current, **changes)

    return effect


def quota(window: str, limit: int) -> Effect:
    def effect(current: Plan, value: str) -> Plan:
        answer = partial(errors.quota_exhausted, window=window, limit=limit, retry_after_s=float(value))
        return replace(current, error=answer)

    return effect


def refuse(reason: str, message: str | None = None, **more: Any) -> Effect:
    return change(refusal=Refusal(finish_reason=reason, finish_message=message, **more))


def finish_reason(current: Plan, value: str) -> Plan:
    return replace(current, refusal=Refusal(finish_reason=value))


def block_prompt(current: Plan, value: str) -> Plan:
    return replace(current, refusal=Refusal(block_reason=value))


def refused_content(shape: Literal["empty", "parts_null", "role_only", "null", "missing"]) -> Effect:
    return lambda current, _: replace(
        current, refusal=replace(current.refusal or IMAGE_SAFETY, content=shape)
    )


def error_in_list(current: Plan, _: str) -> Plan:
    return replace(current, error_in_list=True, error=current.error or errors.high_demand)
