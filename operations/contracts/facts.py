"""Facts as others see them: whom they are addressed to, who hears them, their JSON Schema.

Who says a fact stands in shared/events/, who hears it in the services' subscriptions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from operations.contracts.vocabulary import meaning
from operations.runtime.registry import NAMES, part
from shared.events import Data, Fact, Word
from shared.messaging.bus import matches

UNIT = "{unit}"
Json = dict[str, Any]


class To(StrEnum):
    """Whom a fact is addressed to; a unit's code ends the routing key."""

    NOBODY = "nobody"
    UNIT = "its unit"
    UNIT_OR_NOBODY = "its unit, or nobody"


# By the first word of a fact. The dispatch and the citizen's clock belong to no unit.
ADDRESSED = {
    "assignment": To.UNIT,
    "extension": To.UNIT,
    "supervision": To.UNIT,
    "deadline": To.UNIT_OR_NOBODY,
    "unit": To.UNIT,
    "arbitration": To.UNIT_OR_NOBODY,
}


def addressed(kind: type[Data]) -> To:
    """Whom a fact is addressed to."""
    return ADDRESSED.get(kind.name.partition(".")[0], To.NOBODY)


def keys(kind: type[Data]) -> list[str]:
    """The routing keys of a fact, ``{unit}`` standing for a unit's code."""
    bare, to_unit = kind.name, f"{kind.name}.{UNIT}"
    return {To.NOBODY: [bare], To.UNIT: [to_unit], To.UNIT_OR_NOBODY: [bare, to_unit]}[
        addressed(kind)
    ]


def hearers(kind: type[Data]) -> list[str]:
    """The services that hear a fact, by their subscriptions."""
    return [name for name in NAMES if heard(kind, *part(name).subscriptions)]


def heard(kind: type[Data], *patterns: str) -> bool:
    """Whether one of these patterns matches a routing key of the fact."""
    return any(matches(pattern, key) for pattern in patterns for key in keys(kind))


def schema_file(kind: type[Data]) -> str:
    """Where the JSON Schema of a fact stands, below docs/."""
    return f"schemas/{kind.name}.v{kind.version}.json"


def prose(documented: type) -> str:
    """A docstring as one paragraph of Markdown."""
    return " ".join((documented.__doc__ or "").split()).replace("``", "`")


class Plain(GenerateJsonSchema):
    """Without the titles made of field names, and with the meaning of each field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        document = super().model_schema(schema)
        document["description"] = prose(schema["cls"])
        for name, field in document["properties"].items():
            field.setdefault("description", meaning(schema["cls"], name))
        return document


def schema(kind: type[Data]) -> Json:
    """JSON Schema of a whole fact: its envelope and its data."""
    envelope: Any = {
        "specversion": (Literal["1.0"], ...),
        "type": (Literal[kind.full_name()], ...),
        "source": (Literal[kind.speaker], ...),
        "data": (kind, ...),
    }
    if addressed(kind) is To.UNIT:
        envelope["unit"] = (Word, ...)
        if not kind.name.startswith("unit."):  # that is about the unit itself
            envelope["assignment"] = (UUID, ...)
    model = create_model(f"{kind.__name__}Fact", __base__=Fact, __doc__=kind.__doc__, **envelope)
    document = model.model_json_schema(schema_generator=Plain)
    if addressed(kind) is To.NOBODY:
        del document["properties"]["unit"], document["properties"]["assignment"]
    return {"$schema": GenerateJsonSchema.schema_dialect, **document, "title": kind.full_name()}
