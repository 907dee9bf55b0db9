"""Reading JSON that may have any shape: what is missing or of another type reads as empty."""

import re
from collections.abc import Mapping
from typing import Any

# Enum names, quota ids and field paths; a sentence, which could quote the prompt, is none of these.
_CODE = re.compile(r"[\w.\-/\[\]]{1,100}")


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def code(value: object) -> str:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def out_of_list(value: object) -> object:
    """Unwrap the list of one in which streaming endpoints send their answers."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
