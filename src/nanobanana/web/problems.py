"""What a schema finds wrong with a request, in words for whoever sent it."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

# By the names that pydantic gives them; what it says of a bound is filled in.
_WORDS = {
    "missing": "This is required.",
    "model_attributes_type": "This must be a JSON object.",
    "string_unicode": "This must be valid Unicode text, without lone surrogates.",
    "string_type": "This must be a text.",
    "string_too_short": "This must have at least {min_length} characters.",
    "string_too_long": "This must have at most {max_length} characters.",
    "string_pattern_mismatch": "This does not have the form it must have: see /docs.",
    "list_type": "This must be a list.",
    "too_short": "This must have at least {min_length} entries.",
    "too_long": "This must have at most {max_length} entries.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "finite_number": "This must be a number.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than": "This must be less than {lt}.",
    "less_than_equal": "This must be at most {le}.",
    "datetime_parsing": "There is no such day or time.",
    "datetime_from_date_parsing": "There is no such day or time.",
    "date_parsing": "There is no such day.",
    "date_from_datetime_parsing": "There is no such day.",
}


def param_of(problem: Mapping[str, Any]) -> str:
    """`prompt` of ('body', 'prompt'); `body` where the body as a whole is wrong."""
    return ".".join(str(part) for part in problem["loc"][1:]) or str(problem["loc"][0])


def message_of(problem: Mapping[str, Any]) -> str:
    """What is wrong and what would be right. Never repeats the value: it may be a password."""
    if problem["type"] == "extra_forbidden":
        return _unknown_field(str(problem["loc"][-1]))
    bounds = problem.get("ctx", {})
    if bounds.get("min_length") == 1:
        return "This must not be empty."
    kind = problem["type"]
    # What a text becomes once a validator of ours has had it is counted like a list.
    if kind in {"too_short", "too_long"} and isinstance(problem.get("input"), str):
        kind = f"string_{kind}"
    words = _WORDS.get(kind)
    if words is None:
        return _in_our_words(str(problem["msg"]))
    return words.format(**{name: _shown(bound) for name, bound in bounds.items()})


def _shown(bound: object) -> str:
    """`1,000` and `0.5`; a day as it is."""
    return f"{bound:,.10g}" if isinstance(bound, int | float) else str(bound)


def _in_our_words(message: str) -> str:
    for prefix in ("Value error, ", "value is not a valid email address: "):
        message = message.removeprefix(prefix)
    message = message.replace("Input should", "This must")
    return message if message.endswith(".") else message + "."


_KNOWN_FIELDS = (
    *("prompt", "size", "style", "format", "retention", "email", "password", "name", "mode"),
    *(
        "expires_at",
        "monthly_image_cap",
        "images_per_hour",
        "scopes",
        "allowed_addresses",
        "disabled",
        "overlap_seconds",
    ),
    *("code", "token", "current_password", "monthly_spending_cap_usd", "ids"),
)


def _unknown_field(name: str) -> str:
    similar = get_close_matches(name, _KNOWN_FIELDS, n=1)
    return f"There is no such field. Did you mean {similar[0]!r}?" if similar else "There is no such field."
