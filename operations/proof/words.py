"""What facts, fields and values are called in a printed pack (words.yaml), beside their English codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from operations.proof.pack import Kind

_READ: Mapping[str, Mapping[str, str]] = yaml.safe_load(
    Path(__file__).with_name("words.yaml").read_text("utf-8")
)
FACTS, OTHERS, CLOCKS = _READ["facts"], _READ["others"], _READ["clocks"]
FIELDS, VALUES = _READ["fields"], _READ["values"]
ROLES, SERVICES, ZONES = _READ["roles"], _READ["services"], _READ["zones"]


def name_of(kind: Kind, name: str) -> str:
    """What an entry is called in Chinese; its code where it is of a newer release."""
    match kind:
        case Kind.CLOCK:
            return CLOCKS.get(name, name)
        case Kind.CALL | Kind.READING:
            return OTHERS.get(name, name)
    return FACTS.get(name, name)


def label(field: str, of: str = "") -> str:
    """A field in Chinese, of an entry of a name; as it is called in JSON where it is of a newer release."""
    return FIELDS.get(f"{of}.{field}") or FIELDS.get(field, field)


def value(word: str, field: str = "") -> str | None:
    """A word in Chinese, where it is one; what it says in a field, where that is something else."""
    return VALUES.get(f"{field}.{word}") or VALUES.get(word) or FACTS.get(word)
