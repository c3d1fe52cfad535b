"""Nothing that is asked is without an end: every text, list and number of every route has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from operations import contracts
from operations.runtime.registry import NAMES

Json = dict[str, Any]
BOUNDED = {
    "string": {"maxLength", "enum", "const", "format"},
    "array": {"maxItems"},
    "integer": {"maximum", "exclusiveMaximum", "enum", "const"},
    "number": {"maximum", "exclusiveMaximum", "enum", "const"},
}
EITHER = ("anyOf", "oneOf", "allOf")
# Texts of the configuration that go out, not in: the county's own, read at the start.
OURS = ("body.questions",)


def unbounded(document: Json, schema: Json, where: str) -> Iterator[str]:
    """The places below a schema that have no end."""
    if reference := schema.get("$ref"):
        name = str(reference).rpartition("/")[2]
        yield from unbounded(document, document["components"]["schemas"][name], where)
        return
    kind = schema.get("type")
    if kind in BOUNDED and not BOUNDED[kind] & set(schema):
        yield f"{where}: {kind}"
    if not kind and not {*EITHER, "enum", "const"} & set(schema):
        yield f"{where}: anything"
    if kind == "object" and schema.get("additionalProperties", True) is not False:
        yield f"{where}: any field"
    below = [(where, each) for key in EITHER for each in schema.get(key, ())]
    below += [(f"{where}.{name}", each) for name, each in schema.get("properties", {}).items()]
    below += [(f"{where}[]", schema["items"])] if "items" in schema else []
    for place, each in below:
        yield from unbounded(document, each, place)


def asked(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Operation, place and schema of whatever a request may hold; what we post to others, too."""
    for paths in (document["paths"], document.get("webhooks", {})):
        for path, methods in paths.items():
            for method, operation in methods.items():
                for one in operation.get("parameters", ()):
                    yield f"{method} {path}", f"{one['in']} {one['name']}", one["schema"]
                content = operation.get("requestBody", {}).get("content", {})
                for media in content.values():
                    yield f"{method} {path}", "body", media["schema"]


@pytest.mark.parametrize("service", NAMES)
def test_everything_asked_has_a_bound(service: str) -> None:
    document = contracts.openapi(service)
    found = {
        f"{operation} {place}"
        for operation, where, schema in asked(document)
        for place in unbounded(document, schema, where)
        if not place.startswith(OURS)
    }
    assert found <= LENIENT


# Objects of which a newer release may say more: what is not known is ignored and stored nowhere.
LENIENT = {
    "post /v1/tickets body.location: any field",
    "post /v1/tickets/batch body.tickets[].location: any field",
    "post /v1/tickets/duplicates body.location: any field",
    "post callback.ask body: any field",
    "post callback.ask body.contact: any field",
}


@pytest.mark.parametrize(
    ("schema", "ends"),
    [
        ({"type": "string"}, False),
        ({"type": "string", "pattern": "^a*$"}, False),
        ({"type": "string", "maxLength": 3}, True),
        ({"type": "array", "items": {"type": "string", "maxLength": 3}}, False),
        ({"type": "array", "maxItems": 3, "items": {"type": "string"}}, False),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, False),
        ({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}, False),
        ({}, False),
    ],
)
def test_the_fence_sees_what_has_no_end(schema: Json, ends: bool) -> None:
    assert (list(unbounded({}, schema, "here")) == []) is ends
