"""JSON schemas of the OpenAPI document in words, and values that fit them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nanobanana.web.docs.markdown import anchor_of

Schema = Mapping[str, Any]

# How the examples of the document begin links of ours.
_SOMEWHERE = "https://nanobanana.example"
_FORMATS = {"date-time": "moment", "date": "day", "email": "e-mail address", "ipvanynetwork": "network"}
_EXAMPLES = {"moment": "2027-01-31T08:00:00Z", "day": "2027-01-31", "e-mail address": "ada@example.com"}
_VALUES: Mapping[str, Any] = {
    "string": "...",
    "integer": 1,
    "number": 1,
    "boolean": False,
    "array": [],
    "object": {},
}


class Schemas:
    def __init__(self, document: Mapping[str, Any], *, base_url: str) -> None:
        self._named: Mapping[str, Schema] = document["components"]["schemas"]
        self._base_url = base_url

    def named(self, name: str) -> Schema:
        return self._named[name]

    def resolved(self, schema: Schema) -> Schema:
        return self._named[name_of(schema)] if "$ref" in schema else schema

    def with_parts(self, names: Sequence[str]) -> Sequence[str]:
        """These, and all that they hold, once each."""
        found: dict[str, None] = {}
        rest = list(names)
        while rest:
            name = rest.pop(0)
            if name not in found:
                found[name] = None
                rest.extend(_references(self._named[name]))
        return list(found)

    def example(self, schema: Schema, *, optional: bool = True) -> Any:
        """Without `optional` an object has its required fields only."""
        schema = self.resolved(schema)
        if examples := schema.get("examples"):
            return self._at_home(self._in_order(examples[0], schema))
        for key in ("const", "default", "enum"):
            if key in schema:
                return schema[key][0] if key == "enum" else schema[key]
        if choices := schema.get("anyOf"):
            return self._chosen(choices)
        if "properties" in schema:
            required = schema.get("required", ())
            return {
                name: self.example(field)
                for name, field in schema["properties"].items()
                if optional or name in required
            }
        if "items" in schema:
            return [self.example(schema["items"])]
        return _EXAMPLES.get(
            _FORMATS.get(schema.get("format", ""), ""), _VALUES[schema.get("type", "object")]
        )

    def _chosen(self, choices: Sequence[Schema]) -> Any:
        """What may be null is, unless somebody gave an example."""
        nullable = any(choice.get("type") == "null" for choice in choices)
        has_example = any("examples" in self.resolved(choice) for choice in choices)
        return None if nullable and not has_example else self.example(choices[0])

    def _in_order(self, value: Any, schema: Schema) -> Any:
        """Fields as their object has them: the document sorts those of its examples by name, and leaves null out."""
        schema = self.resolved(schema)
        if isinstance(value, list) and "items" in schema:
            return [self._in_order(one, schema["items"]) for one in value]
        if not isinstance(value, dict) or "properties" not in schema:
            return value
        return {
            name: self._in_order(value.get(name), field)
            for name, field in schema["properties"].items()
            if name in value or name in schema.get("required", ())
        }

    def _at_home(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._at_home(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._at_home(one) for one in value]
        return value.replace(_SOMEWHERE, self._base_url) if isinstance(value, str) else value


def name_of(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def in_words(schema: Schema) -> str:
    """`string, 1 to 4,000 characters` or `a list of ...`, with links to objects."""
    if "$ref" in schema:
        name = name_of(schema)
        return f"[`{name}`](#{anchor_of(name)})"
    if choices := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(in_words(choice) for choice in choices))
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return ", ".join(_code(value) for value in schema["enum"])
    if schema.get("type") == "array":
        of = in_words(schema["items"])
        return ", ".join([f"list of {of}", *_bounds(schema, "Items", "")])
    kind: str = _FORMATS.get(schema.get("format", "")) or schema.get("type", "anything")
    pattern = [f"as `{schema['pattern']}`"] if "pattern" in schema else []
    return ", ".join(
        [kind, *_bounds(schema, "Length", " characters"), *_bounds(schema, "imum", ""), *pattern]
    )


def _bounds(schema: Schema, what: str, unit: str) -> Iterator[str]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    above = schema.get("exclusiveMinimum") if what == "imum" else None
    if above is not None:
        yield f"above {above:,.0f}"
    if least is not None and most is not None:
        yield f"{least:,.0f} to {most:,.0f}{unit}"
    elif most is not None:
        yield f"up to {most:,.0f}{unit}"
    elif least is not None:
        yield f"from {least:,.0f}{unit}"


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield name_of(schema)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
