"""The reference, page by page, as Markdown made of our own OpenAPI document."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nanobanana.web.docs.schemas import Schema, Schemas, in_words, name_of

_WHO = {
    "apiKey": "an [API key](/docs/authentication#api-keys)",
    "session": "a [session](/docs/authentication#sessions)",
}
_BEARERS = {"apiKey": "nb_live_...", "session": "nb_session_..."}
# What ids begin with, by the word before them in a path.
_IDS = {"generations": "gen", "keys": "key", "webhooks": "whk", "sessions": "ses", "deliveries": "whd"}
_ERROR = "ErrorEnvelope"


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def title(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def body(self) -> Schema | None:
        return _schema(self.spec["requestBody"]) if "requestBody" in self.spec else None

    @property
    def needs(self) -> Sequence[str]:
        return [name for need in self.spec.get("security", ()) for name in need]


class Reference:
    def __init__(self, document: Mapping[str, Any], *, base_url: str, codes: Collection[str]) -> None:
        """`codes`: those of all errors, which the document names in its texts."""
        self._document = document
        self._schemas = Schemas(document, base_url=base_url)
        self._base_url = base_url
        self._codes = codes

    def operations(self, tag: str) -> Sequence[Operation]:
        return [
            Operation(method, path, spec)
            for path, methods in self._document["paths"].items()
            for method, spec in methods.items()
            if tag in spec["tags"]
        ]

    def page(self, tag: str) -> str:
        operations = self.operations(tag)
        answered = dict.fromkeys(
            name
            for operation in operations
            for _, schema in _answers(operation)
            for name in _names_in(schema)
        )
        objects = self.objects([name for name in answered if name != _ERROR])
        parts = [self._operation(operation) for operation in operations]
        return "\n\n".join([*parts, *(["## Objects", objects] if objects else [])]) + "\n"

    def errors(self) -> str:
        """The objects that every error comes in."""
        return self.objects([_ERROR])

    def example(self, name: str, **other: object) -> str:
        """An object as JSON, with other values for some fields."""
        return _json({**self._schemas.example(self._schemas.named(name)), **other})

    def objects(self, names: Sequence[str]) -> str:
        return "\n\n".join(self._object(name) for name in self._schemas.with_parts(names))

    def _object(self, name: str) -> str:
        schema = self._schemas.named(name)
        described = [_one_line(schema["description"])] if "description" in schema else []
        return "\n\n".join([f"### {name}", *described, _fields(schema, answered=True)])

    def _operation(self, operation: Operation) -> str:
        spec = operation.spec
        parts = [f"## `{operation.title}`", _one_line(spec["description"]), _who(operation)]
        if parameters := spec.get("parameters"):
            parts.append(_parameters(parameters))
        if operation.body:
            body = self._schemas.resolved(operation.body)
            if "description" in body:
                parts.append(_one_line(body["description"]))
            parts.append(_fields(body, answered=False))
        parts.append(f"```http\n{self._request(operation)}\n```")
        parts.append(self._answer_lines(operation))
        parts.extend(self._answer(operation))
        return "\n\n".join(parts)

    def _request(self, operation: Operation) -> str:
        lines = [
            f"{operation.method.upper()} {_with_ids(operation)} HTTP/1.1",
            f"Host: {urlsplit(self._base_url).netloc}",
        ]
        if operation.needs:
            lines.append(f"Authorization: Bearer {_BEARERS[operation.needs[0]]}")
        if operation.body:
            body = self._schemas.example(operation.body, optional=False)
            lines += ["Content-Type: application/json", "", json.dumps(body, ensure_ascii=False)]
        return "\n".join(lines)

    def _answer_lines(self, operation: Operation) -> str:
        lines = []
        for status, answer in operation.spec["responses"].items():
            if not _is_error(answer):
                objects = " or ".join(in_words(schema) for schema in _choices(_schema(answer)))
                described = _one_line(answer["description"]).replace("Successful Response", "")
                lines.append(f"- **{status}** {'. '.join(filter(None, [objects, described]))}")
        errors = [
            f"{status} {', '.join(codes)}"
            for status, answer in operation.spec["responses"].items()
            if _is_error(answer) and (codes := list(self._links_to_errors(answer["description"])))
        ]
        return "\n".join([*lines, *([f"- Errors: {'; '.join(errors)}"] if errors else [])])

    def _links_to_errors(self, text: str) -> Iterator[str]:
        for word in re.findall(r"`(\w+)`", text):
            if word in self._codes:
                yield f"[`{word}`](/docs/errors#{word})"

    def _answer(self, operation: Operation) -> Iterator[str]:
        for _, schema in list(_answers(operation))[:1]:
            yield f"```json\n{_json(self._schemas.example(_choices(schema)[0]))}\n```"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _answers(operation: Operation) -> Iterator[tuple[str, Schema]]:
    """What is answered in JSON when all goes well."""
    for status, answer in operation.spec["responses"].items():
        if not _is_error(answer) and (schema := _schema(answer)):
            yield status, schema


def _schema(holder: Mapping[str, Any]) -> Schema:
    schema: Schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _is_error(answer: Mapping[str, Any]) -> bool:
    schema = _schema(answer)
    return "$ref" in schema and name_of(schema) == _ERROR


def _choices(schema: Schema) -> Sequence[Schema]:
    choices: Sequence[Schema] = schema.get("anyOf", [schema] if schema else [])
    return choices


def _names_in(schema: Schema) -> Sequence[str]:
    return [name_of(choice) for choice in _choices(schema) if "$ref" in choice]


def _who(operation: Operation) -> str:
    if not operation.needs:
        return "For everybody, without a key."
    return f"Needs {' or '.join(_WHO[name] for name in operation.needs)}."


def _parameters(parameters: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (_name(one), one["in"], _type(one["schema"], required=one["required"]), one.get("description", ""))
        for one in parameters
    ]
    return _table(("parameter", "in", "type", "meaning"), rows)


def _name(parameter: Mapping[str, Any]) -> str:
    """Headers as people write them."""
    name = parameter["name"]
    return f"`{name.title() if parameter['in'] == 'header' else name}`"


def _fields(schema: Schema, *, answered: bool) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", _type(field, required=answered or name in required), field.get("description", ""))
        for name, field in schema["properties"].items()
    ]
    return _table(("field", "type", "meaning"), rows)


def _type(schema: Schema, *, required: bool) -> str:
    text = in_words(schema)
    if required:
        return text
    default = schema.get("default")
    return f"{text}; default {_default(default)}" if default is not None else f"{text}; optional"


def _default(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: str) -> str:
    """Paragraphs stay, lines within one do not."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _with_ids(operation: Operation) -> str:
    path = operation.path
    for parameter in operation.spec.get("parameters", ()):
        if parameter["in"] == "path" and "examples" in parameter["schema"]:
            path = path.replace(f"{{{parameter['name']}}}", parameter["schema"]["examples"][0])
    return re.sub(r"(\w+)/{\w*id}", lambda match: f"{match[1]}/{_IDS[match[1]]}_0351xffvmzhinA5Ot7fOms", path)
