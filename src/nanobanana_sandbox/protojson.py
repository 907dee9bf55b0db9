"""Reads JSON the way Google's proto parser does: lenient about spelling, strict about names and types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pybase64

from nanobanana_sandbox import errors

Scalar = Literal["string", "int32", "float", "bool", "bytes", "any"]
_PROTO_NAMES = {
    "string": "TYPE_STRING",
    "int32": "TYPE_INT32",
    "float": "TYPE_FLOAT",
    "bool": "TYPE_BOOL",
    "bytes": "TYPE_BYTES",
}
_INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True)
class Enum:
    """Names in the order of their numbers; a number on the wire becomes its name."""

    type_name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Repeated:
    item: "Type"


Message = Mapping[str, "Type"]
Type = Scalar | Enum | Repeated | Message


def parse(body: bytes, message: Message) -> dict[str, Any]:
    """Return the message with camelCase names, enum names and decoded bytes; raise the 400 that names every fault."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.invalid_payload([("", _unexpected_token(body, error.pos))]) from None
    reader = _Reader()
    value = reader.read(document, message, path="")
    if reader.violations:
        raise errors.invalid_payload(reader.violations)
    return value or {}


class _Reader:
    def __init__(self) -> None:
        self.violations: list[tuple[str, str]] = []

    def read(self, value: Any, kind: Type, *, path: str) -> Any:
        if value is None or kind == "any":
            return value
        if isinstance(kind, Mapping):
            return self._message(value, kind, path)
        if isinstance(kind, Repeated):
            return self._repeated(value, kind, path)
        if isinstance(kind, Enum):
            return self._enum(value, kind, path)
        return self._scalar(value, kind, path)

    def _message(self, value: Any, kind: Message, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._invalid(value, path, "type.googleapis.com/google.protobuf.Message")
            return {}
        fields = {name: name for name in kind} | {snake_case(name): name for name in kind}
        result = {}
        for written, item in value.items():
            name = fields.get(written)
            if name is None:
                self._unknown(written, path)
            elif item is not None:
                result[name] = self.read(item, kind[name], path=_join(path, snake_case(name)))
        return result

    def _repeated(self, value: Any, kind: Repeated, path: str) -> list[Any]:
        # The parser takes a single object for a list of one.
        items = value if isinstance(value, list) else [value]
        return [self.read(item, kind.item, path=f"{path}[{index}]") for index, item in enumerate(items)]

    def _enum(self, value: Any, kind: Enum, path: str) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return kind.values[value] if 0 <= value < len(kind.values) else kind.values[0]
        if not isinstance(value, str) or value.upper() not in kind.values:
            self._invalid(value, path, f"type.googleapis.com/{kind.type_name}")
        return str(value).upper()

    def _scalar(self, value: Any, kind: Scalar, path: str) -> Any:
        try:
            return _SCALARS[kind](value)
        except (ValueError, TypeError):
            self._invalid(value, path, _PROTO_NAMES[kind])
            return None

    def _unknown(self, name: str, path: str) -> None:
        place = f" at '{path}'" if path else ""
        self.violations.append(
            (path, f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.')
        )

    def _invalid(self, value: Any, path: str, type_name: str) -> None:
        shown = orjson.dumps(value).decode()[:200]
        self.violations.append((path, f"Invalid value at '{path}' ({type_name}), {shown}"))


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _int32(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    number = int(value)
    if number != float(value) or number not in _INT32:
        raise ValueError
    return number


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _bytes(value: Any) -> bytes:
    text = _string(value).replace("-", "+").replace("_", "/").rstrip("=")
    return pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True)


_SCALARS = {"string": _string, "int32": _int32, "float": _float, "bool": _bool, "bytes": _bytes}


def _unexpected_token(body: bytes, position: int) -> str:
    line = body[max(0, position - 40) : position + 40].decode(errors="replace").replace("\n", " ")
    return f"Invalid JSON payload received. Unexpected token.\n{line}\n{' ' * min(position, 40)}^"
